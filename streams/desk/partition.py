"""One owned partition: decides slices of records and keeps the fold that results."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from confluent_kafka import OFFSET_BEGINNING

from models import core as riverdesk
from models.learning import Learners
from models.policy import POLICY_V1, Policy
from models.state import Stamp
from models.verbs import Core
from schemas.journal import Source
from schemas.registry import KIND_BY_TOPIC
from streams.desk.admission import Admission
from streams.desk.guard import DeadLetterLimit, Refusal, refusal
from streams.desk.page import Identity, Page
from streams.desk.position import FoldPosition
from streams.desk.store import PartitionStore
from streams.intake.batches import Raw, Slice
from streams.journal.writer import Outgoing


@dataclass(frozen=True, slots=True)
class Decided:
    """What a slice became; nothing of it counts before the journal has acknowledged it.

    Args:
        dead: Dead letters, to be acknowledged before the entries are written.
        entries: Journal records in order.
        position: The fold's position once the entries stand at the expected offsets.
        kinds: How many of the entries are of which kind.
    """

    dead: list[Outgoing]
    entries: list[Outgoing]
    position: FoldPosition
    kinds: Mapping[str, int] = field(default_factory=dict)


class Partition:
    """Decides about one partition's records, in order.

    Args:
        identity: The claim under which records are written.
        store: The fold of the journal up to and including the claim.
        learners: Shared by all partitions; changed between batches only.
        masking_key: Key of the tokens for card numbers and devices.
        tick_interval_ms: Distance of ticks in event time.
        limit: Of the refusals on all partitions of the worker.
        core: Decides.
    """

    def __init__(
        self,
        identity: Identity,
        store: PartitionStore,
        learners: Learners,
        masking_key: bytes,
        tick_interval_ms: int,
        limit: DeadLetterLimit,
        core: Core = riverdesk,
    ) -> None:
        self.identity = identity
        self.store = store
        self.position = store.position
        self._learners = learners
        self._core = core
        self._admission = Admission(identity.partition, identity.partition_count, masking_key, core)
        self._tick_interval_ms = tick_interval_ms
        self._limit = limit
        self._limit.know(identity.partition, self.position.refusals)
        self.policy = self._stored_policy()
        self._ticked_ms = self.position.tick_ms
        """Up to when nothing falls due any more; only ticks with entries are journaled."""
        self._page = self._new_page()
        self._dead: list[Outgoing] = []

    def continues(self, part: Slice) -> bool:
        """Tell whether the slice begins exactly where the fold stands."""
        sources = self.position.sources
        return all(
            sources.get(topic, OFFSET_BEGINNING) == at for topic, at in part.continues.items()
        )

    def decide(self, part: Slice, clock: Callable[[], int], newest: Policy | None) -> Decided:
        """Decide a slice; changes are staged in the store, nothing is written yet.

        Args:
            part: Continues the fold.
            clock: Milliseconds since the epoch, for the record only.
            newest: The newest policy that people published, if any.
        """
        self._page, self._dead = self._new_page(), []
        self._adopt(newest, clock())
        for raw in part.records:
            self._decide_record(raw, part.unread_ms, clock())
        self._limit.note(self.identity.partition, self._page.refusals)
        return self._decided()

    def is_due(self, now_ms: int) -> bool:
        """Tell whether a tick at this time would change anything."""
        tick_ms = now_ms - now_ms % self._tick_interval_ms
        return tick_ms > self._ticked_ms and self._core.is_tick_due(
            tick_ms, self.store, self._learners, self.identity.partition
        )

    def rest(self, now_ms: int | None, clock: Callable[[], int], newest: Policy | None) -> Decided:
        """Adopt a newer policy and let time pass while no record comes.

        Args:
            now_ms: The time, where nothing is unread; ``None`` leaves time alone.
            clock: Milliseconds since the epoch, for the record only.
            newest: The newest policy that people published, if any.
        """
        self._page, self._dead = self._new_page(), []
        if newest is not None:
            self._adopt(newest, clock())
        if now_ms is not None:
            self._pass_time(now_ms, clock())
        return self._decided()

    def discard(self) -> None:
        """Forget everything that the journal has not acknowledged."""
        self.store.discard()
        self.position = self.store.position
        self.policy = self._stored_policy()
        self._ticked_ms = self.position.tick_ms
        self._page, self._dead = self._new_page(), []

    # -- one record -----------------------------------------------------------------------------

    def _decide_record(self, raw: Raw, unread_ms: int | None, decided_ms: int) -> None:
        source: Source = {
            "topic": raw.topic,
            "partition": self.identity.partition,
            "offset": raw.offset,
            "published_ms": raw.published_ms,
        }
        try:
            event = self._admission.admit(raw)
        except Exception as fault:
            self._give_up(raw, source, refusal(self._admission.stage, fault), decided_ms)
            return
        bound = raw.published_ms if unread_ms is None else min(unread_ms, raw.published_ms)
        self._pass_time(min(event.occurred_ms, bound), decided_ms)
        try:
            draft = self._core.decide_event(
                KIND_BY_TOPIC[raw.topic],
                event,
                source,
                self.store,
                self._learners,
                self.policy,
                self._stamp(decided_ms),
            )
            self._page.append(draft, raw.key)
        except Exception as fault:
            self._give_up(raw, source, refusal("decide", fault), decided_ms)

    def _give_up(self, raw: Raw, source: Source, why: Refusal, decided_ms: int) -> None:
        self._dead.append(self._admission.dead_letter(raw, why, decided_ms))
        error = {"class": why.error, "stage": why.stage, "message": why.message}
        draft = {
            "kind": "dead",
            "source": source,
            "error": error,
            "bytes": len(raw.value or b""),
            "decided_ms": decided_ms,
        }
        self._page.append(draft, raw.key)
        self._limit.note(self.identity.partition, self._page.refusals)

    # -- time and policy ------------------------------------------------------------------------

    def _pass_time(self, now_ms: int, decided_ms: int) -> None:
        tick_ms = now_ms - now_ms % self._tick_interval_ms
        if tick_ms <= self._ticked_ms:
            return
        more = True
        while more:
            draft = self._core.decide_tick(
                tick_ms, self.store, self._learners, self.policy, self._stamp(decided_ms)
            )
            if draft is None:
                break
            self._page.append(draft, None)
            more = draft["decision"]["full"]
        self._ticked_ms = tick_ms

    def _adopt(self, newest: Policy | None, decided_ms: int) -> None:
        if self.store.get("policy", "") is None:
            chosen = newest or Policy.from_content(POLICY_V1)
        elif newest is not None and newest.version > self.policy.version:
            chosen = newest
        else:
            return
        self._page.append(self._core.decide_policy(chosen.content, self._stamp(decided_ms)), None)
        self.policy = chosen

    def _stored_policy(self) -> Policy:
        stored = self.store.get("policy", "")
        return Policy.from_content(POLICY_V1 if stored is None else stored)

    # -- the journal ----------------------------------------------------------------------------

    def _stamp(self, decided_ms: int) -> Stamp:
        identity = self.identity
        return Stamp(
            identity.partition, identity.partition_count, self._page.number + 1, decided_ms
        )

    def _new_page(self) -> Page:
        return Page(self.identity, self.store, self._core, self.position)

    def _decided(self) -> Decided:
        if self._page.entries:
            self.store.seal()
        self.position = self._page.position()
        return Decided(self._dead, self._page.entries, self.position, self._page.kinds)
