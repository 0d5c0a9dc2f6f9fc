"""All removals, in the sections of the page."""

from collections.abc import Sequence

from tests.removals import desk, intake, journal, projections, quality, records, state, tickets
from tests.removals.removal import Removal

SECTIONS: dict[str, Sequence[Removal]] = {
    "The journal": journal.REMOVALS,
    "The intake": intake.REMOVALS,
    "A batch of the desk": desk.REMOVALS,
    "Each record": records.REMOVALS,
    "Tickets and their labels": tickets.REMOVALS,
    "The learners' quality": quality.REMOVALS,
    "State and checkpoints": state.REMOVALS,
    "Publisher": projections.PUBLISHED,
    "Archiver and warehouse": projections.ARCHIVED_ONCE,
}
REMOVALS: list[Removal] = [removal for section in SECTIONS.values() for removal in section]
