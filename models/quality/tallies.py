"""What is counted about one learner: its cells by segment and maturity, and its verdict."""

from typing import TypeVar

from models.quality.cells import ClassCell, DetectionCell
from models.quality.verdicts import Paired, Ranked

ALL = "all"

MAX_CLASSES = 4_096
"""Classes whose shares are known; later ones count as new each time."""

Cell = TypeVar("Cell", ClassCell, DetectionCell)


class Classes:
    """What is known of one learner of classes, and of how often each class is right."""

    def __init__(self) -> None:
        self.cells: dict[str, ClassCell] = {ALL: ClassCell()}
        self.offered = 0.0
        """Weight of all labelled decisions, also those where the learner said nothing."""
        self.shares: dict[str, float] = {}
        self.total = 0.0
        self.commonest: str | None = None
        self.verdict = Paired()

    def know(self, label: str, unit: float) -> None:
        """Count a class for the prior."""
        if label not in self.shares and len(self.shares) >= MAX_CLASSES:
            return
        self.total += unit
        self.shares[label] = counted = self.shares.get(label, 0.0) + unit
        if self.commonest is None or counted > self.shares[self.commonest]:
            self.commonest = label

    def prior(self, label: str, unit: float) -> float:
        """Give the share of a class among the labels so far; one that is new has a little."""
        return (self.shares.get(label, 0.0) + unit) / (self.total + unit * (len(self.shares) + 1))

    def scale(self, factor: float) -> None:
        """Let everything count less."""
        for cell in self.cells.values():
            cell.scale(factor)
        self.offered *= factor
        self.total *= factor
        self.shares = {label: share * factor for label, share in self.shares.items()}

    def content(self) -> list[object]:
        """Give everything, in a fixed order."""
        return [
            {name: cell.content() for name, cell in self.cells.items()},
            [self.offered, self.total, self.commonest],
            self.shares,
            self.verdict.content(),
        ]


class Detector:
    """What is known of one learner that looks for frauds."""

    def __init__(self, margin: float) -> None:
        self.cells: dict[str, DetectionCell] = {ALL: DetectionCell()}
        self.ranked = Ranked(margin=margin)
        self.paired = Paired(half_life=1_000.0, least_count=500)

    @property
    def trusted(self) -> bool:
        """Whether it neither ranks nor judges worse than its baselines."""
        return self.ranked.trusted and self.paired.trusted

    def content(self) -> list[object]:
        """Give everything, in a fixed order."""
        return [
            {name: cell.content() for name, cell in self.cells.items()},
            self.ranked.content(),
            self.paired.content(),
        ]


def named(cells: dict[str, Cell], names: tuple[str, ...], kind: type[Cell]) -> list[Cell]:
    """Give the named cells; those that are not there are made."""
    found = []
    for name in names:
        cell = cells.get(name)
        if cell is None:
            cell = cells[name] = kind()
        found.append(cell)
    return found
