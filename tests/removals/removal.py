"""What a removal is: a mechanism, how it is taken out of the code, and which tests notice."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Removal:
    """One mechanism without which something promised would not hold.

    Args:
        name: Names it on the command line.
        mechanism: What is taken out.
        promise: What does not hold without it.
        file: Where it stands, relative to the project.
        old: Its text there; must occur exactly once.
        new: The same without the mechanism; must still be code that runs.
        tests: Ids of tests, each of which must fail then.
    """

    name: str
    mechanism: str
    promise: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def apply(self, root: Path) -> str:
        """Take the mechanism out of the tree below ``root``; give the file's text before.

        Raises:
            LookupError: the text is not there, or more than once: the list is out of date.
        """
        path = root / self.file
        text = path.read_text(encoding="utf-8")
        found_count = text.count(self.old)
        if found_count != 1:
            raise LookupError(
                f"{self.name}: its text stands {found_count} times in {self.file}, not once"
            )
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")
        return text
