"""The shape of a language's phrases. ``[a|b]`` chooses one, ``{slot}`` is filled."""

from collections.abc import Mapping
from dataclasses import dataclass

Phrases = tuple[str, ...]

CATEGORIES: Phrases = (
    "account_access",
    "card_delivery",
    "cash_machine",
    "declined_payment",
    "duplicate_charge",
    "fees",
    "identity_check",
    "lost_or_stolen_card",
    "personal_details",
    "refund_missing",
    "service_outage",
    "transfer_delayed",
    "unrecognised_charge",
)
"""What a ticket can be about; ``service_outage`` first appears with the outage."""


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """Everything that a writer of one language needs.

    Args:
        language: BCP 47 tag.
        joint: What stands between two sentences.
        cores: By category: what the customer says happened.
        details: By category: a second sentence.
        vague: Sentences that fit several categories.
        greetings: How a ticket begins.
        asks: What the customer wants.
        angry: Sentences of an angry customer.
        unhappy: Sentences of a customer who is disappointed or worried.
        pleased: Sentences of a customer who is content all the same.
        pressing: Sentences that make it more urgent.
        patient: Sentences that make it less urgent.
        signoffs: How a ticket ends.
        private: Sentences with personal data that must be masked.
        agent: What an agent answers.
        replies: What the customer writes back.
        slots: Values of the free slots.
        typos: Common misspellings, right to wrong.
    """

    language: str
    joint: str
    cores: Mapping[str, Phrases]
    details: Mapping[str, Phrases]
    vague: Phrases
    greetings: Phrases
    asks: Phrases
    angry: Phrases
    unhappy: Phrases
    pleased: Phrases
    pressing: Phrases
    patient: Phrases
    signoffs: Phrases
    private: Phrases
    agent: Phrases
    replies: Phrases
    slots: Mapping[str, Phrases]
    typos: Mapping[str, str]
