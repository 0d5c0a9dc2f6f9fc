"""Small word lists in English and Chinese: language, anger, sentiment and urgency without learning.

Honest stand-ins, not models: they speak until labels have taught the learners of urgency and
mood. Words are matched whole in English, anywhere in Chinese.
"""

import re
from typing import NamedTuple

from schemas.feedback import Urgency

_HAN = re.compile(r"[\u3400-\u9fff]")
_LETTER = re.compile(r"[^\W\d_]")


def _pattern(english: str, chinese: str) -> re.Pattern[str]:
    words = "|".join(re.escape(word) for word in english.split(", "))
    signs = "|".join(re.escape(word) for word in chinese.split("、"))
    return re.compile(rf"(?<![a-z])(?:{words})(?![a-z])|{signs}")


_ANGRY = _pattern(
    "unacceptable, ridiculous, outrageous, furious, angry, disgusting, disgrace, scandal, worst, "
    "terrible, horrible, awful, useless, incompetent, sick of, fed up, lawyer, sue, complaint, "
    "never again, rip off, thieves, scam, shame, joke, pathetic, appalling, hate",
    "气死、愤怒、太差、垃圾、骗子、投诉、无法接受、忍无可忍、离谱、恶心、坑人、差劲、律师、起诉、曝光、可恶",
)
_NEGATIVE = _pattern(
    "disappointed, frustrated, annoyed, upset, worried, problem, issue, error, wrong, failed, "
    "fails, broken, declined, missing, lost, late, slow, unable, cannot, can't, not working, "
    "still waiting, unhappy, bad, confused, concerned, stuck, denied, charged twice",
    "失望、担心、着急、问题、错误、失败、丢失、不见、不能、无法、不行、太慢、还没、没有到、被拒、扣了两次、"
    "不满、糟糕、焦虑、困惑",
)
_POSITIVE = _pattern(
    "thanks, thank you, great, good, excellent, perfect, love, happy, helpful, appreciate, "
    "wonderful, please, nice, pleased, kind",
    "谢谢、感谢、很好、满意、不错、棒、开心、喜欢、麻烦您、请问",
)
_URGENT: tuple[tuple[Urgency, re.Pattern[str]], ...] = (
    (
        "critical",
        _pattern(
            "fraud, fraudulent, stolen, hacked, unauthorised, unauthorized, not me, "
            "wasn't me, did not make, didn't make, do not recognise, don't recognise, "
            "do not recognize, don't recognize, compromised, identity theft, robbed, scammed",
            "盗刷、被盗、诈骗、盗用、不是我、非本人、被骗、黑客、冒用",
        ),
    ),
    (
        "high",
        _pattern(
            "urgent, urgently, asap, immediately, emergency, right now, right away, locked, "
            "blocked, swallowed, lost my card, lost card, double charged, charged twice, "
            "money is gone, missing money, today, stranded",
            "紧急、马上、立刻、立即、尽快、急用、锁定、冻结、吞卡、丢了、挂失、扣了两次、重复扣款、钱不见",
        ),
    ),
    (
        "low",
        _pattern(
            "how do i, how can i, how long, what is, where can i, do you, is it possible, "
            "can i, just wondering, curious, question, information, which, are there, what are",
            "咨询、请问、怎么、如何、能否、多久、什么、想了解、是否、哪里",
        ),
    ),
)


class Tone(NamedTuple):
    """What the word lists say about a text."""

    sentiment: float
    """-1 to 1, two decimals."""
    anger: float
    """0 to 1, two decimals."""


def detect_language(text: str) -> str:
    """Give ``zh`` if at least a fifth of the letters are Han signs, else ``en``.

    >>> detect_language("我的卡还没到 card"), detect_language("where is my card?")
    ('zh', 'en')
    """
    letters = len(_LETTER.findall(text))
    return "zh" if letters and len(_HAN.findall(text)) >= 0.2 * letters else "en"


def read_tone(text: str) -> Tone:
    """Read the tone of a text from words, exclamation marks and capitals.

    >>> read_tone("This is UNACCEPTABLE!!! I will file a complaint").anger > 0.6
    True
    >>> read_tone("谢谢，很好").sentiment > 0
    True
    """
    lowered = text.lower()
    angry = len(_ANGRY.findall(lowered))
    negative = len(_NEGATIVE.findall(lowered))
    positive = len(_POSITIVE.findall(lowered))
    marks = lowered.count("!") + lowered.count("\uff01")
    letters = [c for c in text[:2_000] if c.isalpha() and c.isascii()]
    shouting = len(letters) >= 12 and sum(c.isupper() for c in letters) > 0.6 * len(letters)
    heat = angry + 0.25 * min(marks, 4) * (angry + negative > 0) + 1.0 * shouting
    bad = 2.0 * angry + negative + 0.5 * shouting
    total = bad + positive
    sentiment = (positive - bad) / (total + 1.0) if total else 0.0
    return Tone(round(sentiment, 2), round(heat / (heat + 1.0), 2))


def read_urgency(text: str) -> tuple[Urgency, str | None]:
    """Give the urgency by the word rules, and the word that decided (``None``: by default).

    >>> read_urgency("Someone has stolen my card")
    ('critical', 'stolen')
    >>> read_urgency("请问多久到账")
    ('low', '请问')
    """
    lowered = text.lower()
    for urgency, pattern in _URGENT:
        found = pattern.search(lowered)
        if found:
            return urgency, found.group()
    return "medium", None
