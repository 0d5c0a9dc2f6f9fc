"""Where personal data hides in free text, and what stands there instead."""

import re

_HINT = re.compile(r"[\d@:=：]")
"""Texts without any of these hold nothing that the patterns look for."""

_GAP = r"[ \u00a0\u3000.\-]"
_EMAIL = re.compile(r"(?<![\w.+%\-])[\w.+%\-]+@[\w\-]+(?:\.[\w\-]+)+")
_IBAN = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{2}\d{2}(?: ?[0-9A-Za-z]){11,40}")
_RESIDENT_ID = re.compile(
    r"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
    r"(?![0-9A-Za-z])"
)
_DIGITS = re.compile(rf"(?<!\d)\d(?:{_GAP}?\d){{12,}}(?!\d)")
_SECRET = re.compile(
    r"(?<![A-Za-z])(?P<word>pass(?:word|code|phrase)|pwd|pin(?: ?code| number)?|otp|cvv2?|cvc2?"
    r"|(?:one[- ]time|verification|security|sms) (?:code|password|pin)"
    r"|密码|口令|验证码|校验码|动态码|安全码)"
    r"(?P<link>\s{0,3}(?:number|code)?\s{0,3}(?:is|was|[:=：]|是|为)?\s{0,3}[\"\u201c\u2018']?)"
    r"(?P<value>(?=[^\s<>]{0,64}\d)[^\s<>,，。;；！？]{3,64}"
    r"|(?<=[:=：])[^\s<>,，。;；！？]{3,64}"
    r"|(?<=[:=：] )[^\s<>,，。;；！？]{3,64})",
    re.IGNORECASE,
)
_PHONES = (
    re.compile(r"(?<![\d+])(?:\+|00)[1-9]\d{0,2}(?:[ .\-]?\(?\d{1,4}\)?){2,6}(?!\d)"),
    re.compile(r"(?<!\d)1[3-9]\d[ \-]?\d{4}[ \-]?\d{4}(?!\d)"),
    re.compile(r"(?<!\d)(?:\(\d{3}\) ?|\d{3}[\-. ])\d{3}[\-. ]\d{4}(?!\d)"),
    re.compile(r"(?<!\d)0\d{2,4}[ \-]\d{6,8}(?!\d)"),
)
_LONGEST_CARD = 19
_SHORTEST_CARD = 13


def mask_text(text: str) -> str:
    """Give a text with personal data replaced; masking the result again changes nothing.

    >>> mask_text("Card 4111 1111 1111 1111, mail a.b@example.org, code: 493-811")
    'Card <card>, mail <email>, code: 493-811'
    >>> mask_text("My password is hunter2 and the OTP 493811")
    'My password is <secret> and the OTP <secret>'
    >>> mask_text("我的手机是13812345678，验证码：493811")
    '我的手机是<phone>，验证码：<secret>'
    """
    while _HINT.search(text):
        masked = _mask_once(text)
        if masked == text:
            break
        text = masked
    return text


def _mask_once(text: str) -> str:
    text = _EMAIL.sub("<email>", text)
    text = _SECRET.sub(lambda found: f"{found['word']}{found['link']}<secret>", text)
    text = _IBAN.sub(_mask_iban, text)
    text = _RESIDENT_ID.sub("<id>", text)
    text = _DIGITS.sub(_mask_cards, text)
    for phone in _PHONES:
        text = phone.sub("<phone>", text)
    return text


def is_luhn(digits: str) -> bool:
    """Tell whether a row of digits ends in the right check digit (ISO/IEC 7812-1).

    >>> is_luhn("4111111111111111"), is_luhn("4111111111111112")
    (True, False)
    """
    total = 0
    for i, digit in enumerate(reversed(digits)):
        value = int(digit)
        total += value if i % 2 == 0 else value * 2 - (9 if value > 4 else 0)
    return total % 10 == 0


def _mask_cards(found: re.Match[str]) -> str:
    """Mask each part of a row of digit groups that is a card number (ISO/IEC 7812-1)."""
    text = found.group()
    groups = list(re.finditer(r"\d+", text))
    pieces: list[str] = []
    done = i = 0
    while i < len(groups):
        end = _card_end(groups, i)
        if end is None:
            i += 1
            continue
        pieces += [text[done : groups[i].start()], "<card>"]
        done = groups[end].end()
        i = end + 1
    return "".join(pieces) + text[done:]


def _card_end(groups: list[re.Match[str]], start: int) -> int | None:
    """Give the last group of the longest card number that begins with group ``start``."""
    digits = ""
    best = None
    for i in range(start, len(groups)):
        digits += groups[i].group()
        if len(digits) > _LONGEST_CARD:
            return i if i == start else best  # so long a number is of no use to anyone
        if len(digits) >= _SHORTEST_CARD and is_luhn(digits):
            best = i
    return best


def _mask_iban(found: re.Match[str]) -> str:
    """Mask the longest beginning that is an IBAN (ISO 13616: remainder 1 modulo 97)."""
    text = found.group()
    for end in range(len(text), 14, -1):
        if text[end - 1] == " " or (end < len(text) and text[end].isalnum()):
            continue
        plain = text[:end].replace(" ", "").upper()
        if 15 <= len(plain) <= 34 and _is_iban(plain):
            return "<iban>" + text[end:]
    return text


def _is_iban(plain: str) -> bool:
    turned = plain[4:] + plain[:4]
    return turned.isascii() and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1
