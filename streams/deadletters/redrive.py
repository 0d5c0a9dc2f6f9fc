"""Sends refused records again, and notes on the dead letters' topic that it did.

The note is what keeps a letter from being sent twice, whoever asks from wherever. Copies are sent
and acknowledged first, without a transaction, for its markers would be holes in an input topic;
then the notes are written in one. All who redrive share one transactional id: who begins fences
off whoever is at it. Whoever is killed, or fenced off, between copies and notes has sent at most
``BATCH_LETTERS`` that will be sent once more; the desk journals a second copy as a duplicate.
"""

from collections.abc import Sequence

from schemas.base import moment
from schemas.deadletters import REDRIVEN_FROM
from schemas.errors import UnavailableError
from schemas.registry import dead_topic
from streams.deadletters.letters import Letter
from streams.deadletters.trial import Verdict
from streams.journal.writer import Outgoing, Writer
from streams.kafka import KafkaError, KafkaException, make_producer
from streams.settings import KafkaSettings

BATCH_LETTERS = 100
BATCH_BYTES = 4_000_000
TRANSACTIONAL_ID = "riverdesk-deadletters"
TRANSACTION_S = 30.0
FENCED = (KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED)


class Redriver:
    """Sends letters again; from when it is made on, no other one can note anything.

    Make it before reading which letters were sent: what an earlier one has noted is settled then.

    Args:
        kafka: The broker.

    Raises:
        UnavailableError: the broker does not answer, or has no transactions.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._writer = Writer(kafka)
        self._noting = make_producer(
            kafka, transactional_id=TRANSACTIONAL_ID, transaction_timeout_ms=60_000
        )
        self._waiting: list[tuple[Letter, Verdict]] = []
        self._waiting_bytes = 0
        self.sent_count = 0
        """Letters whose copies are acknowledged and noted."""
        try:
            self._noting.init_transactions(TRANSACTION_S)
        except KafkaException as fault:
            raise UnavailableError(f"no transactions: {fault}") from fault

    def send(self, letter: Letter, verdict: Verdict, now_ms: int) -> None:
        """Send a letter again, at the latest with :meth:`flush`.

        Raises:
            UnavailableError: the broker did not take it, or another redrive has begun.
        """
        self._waiting.append((letter, verdict))
        self._waiting_bytes += letter.size_bytes
        if len(self._waiting) >= BATCH_LETTERS or self._waiting_bytes >= BATCH_BYTES:
            self.flush(now_ms)

    def flush(self, now_ms: int) -> None:
        """Send what waits, and note it.

        Raises:
            UnavailableError: the broker did not take it, or another redrive has begun.
        """
        if not self._waiting:
            return
        at = moment(now_ms)
        offsets = self._writer.append_now(
            [copy_of(letter, verdict, at) for letter, verdict in self._waiting]
        )
        try:
            self._note(
                [
                    note_of(letter, at, f"{letter.place.topic}/{verdict.partition}/{offset}")
                    for (letter, verdict), offset in zip(self._waiting, offsets, strict=True)
                ]
            )
        except KafkaException as fault:
            raise UnavailableError(self._why(fault)) from fault
        self.sent_count += len(self._waiting)
        self._waiting, self._waiting_bytes = [], 0

    def _note(self, notes: Sequence[Outgoing]) -> None:
        self._noting.begin_transaction()
        for note in notes:
            self._noting.produce(
                note.topic,
                key=note.key,
                value=note.value,
                partition=note.partition,
                headers=list(note.headers),
            )
        self._noting.commit_transaction(TRANSACTION_S)

    def _why(self, fault: KafkaException) -> str:
        reason: KafkaError = fault.args[0]
        what = "another redrive has begun" if reason.code() in FENCED else str(reason)
        return (
            f"stopped after {self.sent_count} letters: {what}; {len(self._waiting)} more may have "
            "been sent and are not noted: the desk drops second copies"
        )


def copy_of(letter: Letter, verdict: Verdict, at: str) -> Outgoing:
    """Give the record that goes to the source topic: the original bytes, and where they stood."""
    headers = ((REDRIVEN_FROM, str(letter.place).encode()), ("riverdesk_redriven_at", at.encode()))
    return Outgoing(letter.place.topic, verdict.partition, verdict.key, letter.value, headers)


def note_of(letter: Letter, at: str, to: str) -> Outgoing:
    """Give the record beside the letter that says it was sent again: its headers, no value."""
    headers = (
        *letter.headers,
        ("riverdesk_redriven_at", at.encode()),
        ("riverdesk_redriven_to", to.encode()),
    )
    place = letter.place
    return Outgoing(dead_topic(place.topic), place.partition, letter.key, None, headers)
