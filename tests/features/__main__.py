"""Shows the catalogue of features as a page, or writes docs/features.md anew."""

import argparse
import sys
from collections.abc import Sequence

from tests.features.document import PAGE, page


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the page, or write it where it belongs."""
    parser = argparse.ArgumentParser(prog="python -m tests.features", description=__doc__)
    parser.add_argument(
        "--markdown", action="store_true", help=f"write {PAGE.parent.name}/{PAGE.name} anew"
    )
    if parser.parse_args(arguments).markdown:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
