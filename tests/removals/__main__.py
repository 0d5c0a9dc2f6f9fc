"""Takes the mechanisms out one by one and tells which tests noticed: ``make removals``."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.removals.catalogue import REMOVALS, SECTIONS
from tests.removals.document import PAGE, page
from tests.removals.removal import Removal
from tests.removals.trial import Trial, ask, copied, try_out


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trials that were asked for; 0 if every mechanism was missed by its tests."""
    parser = argparse.ArgumentParser(prog="python -m tests.removals", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="removals to try; default: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    parser.add_argument(
        "--baseline", action="store_true", help="first see that the tests pass without a removal"
    )
    parser.add_argument(
        "--markdown", action="store_true", help=f"only write {PAGE.parent.name}/{PAGE.name} anew"
    )
    given = parser.parse_args(arguments)
    if given.markdown:
        PAGE.write_text(page(SECTIONS), encoding="utf-8")
        return 0
    unknown = sorted(set(given.names) - {removal.name for removal in REMOVALS})
    if unknown:
        parser.error(f"no such removal: {', '.join(unknown)}")
    chosen = [each for each in REMOVALS if not given.names or each.name in given.names]
    with copied() as copy:
        if given.baseline and not _sound(chosen, copy):
            return 1
        trials = []
        for removal in chosen:
            trials.append(try_out(removal, copy))
            _tell(trials[-1])
    caught_count = sum(trial.caught for trial in trials)
    print(f"{caught_count} of {len(trials)} removals are noticed by their tests")
    if given.json:
        given.json.write_text(json.dumps([_as_json(each) for each in trials], indent=2) + "\n")
    return 0 if caught_count == len(trials) else 1


def _sound(chosen: Sequence[Removal], copy: Path) -> bool:
    tests = list(dict.fromkeys(test for removal in chosen for test in removal.tests))
    bad = [answer for answer in ask(tests, copy) if answer.outcome != "passed"]
    for answer in bad:
        print(f"{answer.outcome} without any removal: {answer.test}: {answer.why}")
    print(f"{len(tests) - len(bad)} of {len(tests)} tests pass without any removal")
    return not bad


def _tell(trial: Trial) -> None:
    verdict = "caught" if trial.caught else "NOT CAUGHT"
    print(f"{verdict:<10} {trial.removal.name} ({trial.took_s:.0f} s): {trial.removal.mechanism}")
    for answer in trial.answers:
        print(f"           {answer.outcome}: {answer.test}: {answer.why[:110]}", flush=True)


def _as_json(trial: Trial) -> dict[str, Any]:
    return {
        "name": trial.removal.name,
        "mechanism": trial.removal.mechanism,
        "file": trial.removal.file,
        "caught": trial.caught,
        "took_s": round(trial.took_s, 1),
        "tests": [
            {"test": each.test, "outcome": each.outcome, "why": each.why} for each in trial.answers
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
