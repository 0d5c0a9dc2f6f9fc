"""Writes the texts of customers and agents from phrases, with the noise of real ones."""

import re
from random import Random
from typing import Final, NamedTuple

from schemas.feedback import Mood
from streams.simulator.phrasebook import Phrasebook, Phrases

_CHOICE: Final = re.compile(r"\[([^\[\]]*)\]")
_SLOT: Final = re.compile(r"\{(\w+)\}")

AMBIGUOUS_SHARE = 0.10
DISTRACTED_SHARE = 0.08
MOOD_WEIGHTS: Final[dict[Mood, int]] = {"angry": 12, "unhappy": 15, "neutral": 65, "pleased": 8}
PRESSING_SHARE = 0.15
PATIENT_SHARE = 0.10
PRIVATE_SHARE = 0.12
NOISY_SHARE = 0.35


class Written(NamedTuple):
    """A ticket as its customer writes it."""

    subject: str
    """May be empty."""
    text: str
    pressure: int
    """How much the wording raises the urgency: -1, 0 or 1."""
    mood: Mood


class Writer:
    """Writes in one language; the generator given makes every text reproducible."""

    def __init__(self, book: Phrasebook, rng: Random) -> None:
        self.book = book
        self._rng = rng

    def ticket(self, category: str, known: dict[str, str]) -> Written:
        """Write a ticket.

        Args:
            category: One of ``phrasebook.CATEGORIES``.
            known: Slots whose value is given, e.g. ``amount``, ``merchant``.
        """
        rng, book = self._rng, self.book
        ambiguous = rng.random() < AMBIGUOUS_SHARE
        core = rng.choice(book.vague if ambiguous else book.cores[category])
        parts = [rng.choice(book.greetings), core]
        if rng.random() < 0.45:
            parts.append(rng.choice(book.details[category]))
        if rng.random() < DISTRACTED_SHARE:
            other = rng.choice(sorted(book.cores))
            parts.append(rng.choice(book.cores[other]))
        pressure = 0
        drawn = rng.random()
        if drawn < PRESSING_SHARE:
            pressure = 1
            parts.append(rng.choice(book.pressing))
        elif drawn < PRESSING_SHARE + PATIENT_SHARE:
            pressure = -1
            parts.append(rng.choice(book.patient))
        mood = rng.choices(tuple(MOOD_WEIGHTS), tuple(MOOD_WEIGHTS.values()))[0]
        if mood != "neutral":
            told = {"angry": book.angry, "unhappy": book.unhappy, "pleased": book.pleased}
            parts.append(rng.choice(told[mood]))
        if rng.random() < PRIVATE_SHARE:
            parts.append(rng.choice(book.private))
        parts += [rng.choice(book.asks), rng.choice(book.signoffs)]
        subject = ""
        if rng.random() < 0.4:
            subject = self._fill(rng.choice(book.cores[category]), known)[:80]
        return Written(subject, self._text(parts, known), pressure, mood)

    def message(self, phrases: Phrases, known: dict[str, str]) -> str:
        """Write one message from a choice of phrases."""
        return self._text([self._rng.choice(phrases)], known)

    def _text(self, parts: list[str], known: dict[str, str]) -> str:
        text = self.book.joint.join(self._fill(part, known) for part in parts if part).strip()
        return self._noise(text) if self._rng.random() < NOISY_SHARE else text

    def _fill(self, template: str, known: dict[str, str]) -> str:
        rng = self._rng
        while _CHOICE.search(template):
            template = _CHOICE.sub(lambda found: rng.choice(found[1].split("|")), template)
        filled = _SLOT.sub(lambda found: known.get(found[1]) or self._slot(found[1]), template)
        return re.sub(r" +([.,!?]|$)", r"\1", re.sub(r" {2,}", " ", filled))

    def _slot(self, name: str) -> str:
        rng = self._rng
        match name:
            case "amount":
                amount = f"{rng.lognormvariate(4.0, 1.2):.2f}"
                return f"{amount}元" if self.book.language == "zh" else f"{amount} EUR"
            case "days":
                return str(rng.randint(2, 25))
            case "code":
                return rng.choice(("05", "51", "61", "91", "96", "E14"))
            case "pan":
                return card_number(rng, rng.choice(("", " ", "-")))
            case "last4" | "pin":
                return f"{rng.randrange(10_000):04d}"
            case "expiry":
                return f"{rng.randint(1, 12):02d}/{rng.randint(27, 32)}"
            case "phone":
                return phone_number(rng, self.book.language)
            case "email":
                name = rng.choice("abcdefgh") + rng.choice(_SURNAMES)
                return f"{name}{rng.randrange(99)}@example.com"
            case "iban":
                account = rng.randrange(10**18)
                check = 98 - (account * 10**6 + 131400) % 97  # ISO 13616, "DE00" as digits
                return f"DE{check:02d}{account:018d}"
            case "id_number":
                born = f"{rng.randint(1950, 2005)}{rng.randint(1, 12):02d}15"
                return f"110101{born}{rng.randrange(10**4):04d}"
            case _:
                return rng.choice(self.book.slots[name])

    def _noise(self, text: str) -> str:
        rng = self._rng
        for right in sorted(self.book.typos):
            if right in text and rng.random() < 0.3:
                text = text.replace(right, self.book.typos[right], 1)
        if self.book.language == "en":
            if rng.random() < 0.35:
                text = text.lower()
            for _ in range(rng.randint(0, 3)):
                text = _slip(rng, text)
        elif rng.random() < 0.4:
            text = text.replace("。", " ").replace("，", " ").strip()
        return text or "?"


_SURNAMES = ("smith", "brown", "garcia", "muller", "wang", "nowak", "rossi", "dubois", "kaya")


def _slip(rng: Random, text: str) -> str:
    """Misspell one place: two letters swapped, one dropped or one doubled."""
    if len(text) < 8:
        return text
    at = rng.randrange(1, len(text) - 2)
    if not text[at : at + 2].isalpha():
        return text
    match rng.randrange(3):
        case 0:
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        case 1:
            return text[:at] + text[at + 1 :]
        case _:
            return text[:at] + text[at] + text[at:]


def card_number(rng: Random, gap: str = "") -> str:
    """Make a card number of 16 digits with a right check digit (ISO/IEC 7812), in fours."""
    digits = [4, *(rng.randrange(10) for _ in range(14))]
    doubled = [d if i % 2 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)]
    number = "".join(map(str, digits)) + str(-sum(doubled) % 10)
    return gap.join(number[i : i + 4] for i in range(0, 16, 4))


def phone_number(rng: Random, language: str) -> str:
    """Make a telephone number as people of that language write it."""
    if language == "zh":
        return f"1{rng.choice('35789')}{rng.randrange(10**9):09d}"
    start = rng.choice(("+44 7700 90", "+49 151 23", "(555) 010-"))
    return f"{start}{rng.randrange(10**4):04d}"
