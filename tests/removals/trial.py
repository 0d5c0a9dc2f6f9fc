"""Tries a removal on a copy of the project: do the tests notice?

Only a test that *failed* counts. One that could not be collected or set up, or that fell over a
name which the removal left undefined, proves nothing.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from xml.etree import ElementTree

from tests.removals.removal import ROOT, Removal

Outcome = Literal["failed", "passed", "skipped", "error", "broken", "missing"]

TEST_TIMEOUT_S = 60
TRIAL_TIMEOUT_S = 600
BROKEN = re.compile(
    r"\b(?:NameError|UnboundLocalError|ImportError|ModuleNotFoundError|SyntaxError"
    r"|IndentationError|AttributeError|TypeError)\b"
)
"""How code fails that was damaged, not relieved of a mechanism."""
WORST_FIRST: tuple[Outcome, ...] = ("failed", "broken", "error", "skipped", "passed")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one test said; of a parametrized one, the case that says most."""

    test: str
    outcome: Outcome
    why: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one removal."""

    removal: Removal
    answers: list[Answer]
    took_s: float

    @property
    def caught(self) -> bool:
        """Whether every test of the list failed, and for a reason."""
        return all(answer.outcome == "failed" for answer in self.answers)


@contextmanager
def copied() -> Iterator[Path]:
    """Give a copy of the working tree: all files but those that git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    with TemporaryDirectory(prefix="removals-") as directory:
        copy = Path(directory).resolve() / "project"
        for name in filter(None, listed.split("\0")):
            source = ROOT / name
            if source.is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, copy / name)
        yield copy


def try_out(removal: Removal, copy: Path) -> Trial:
    """Take the mechanism out of the copy, run its tests, put it back.

    Raises:
        LookupError: the list is out of date.
    """
    path = copy / removal.file
    before = removal.apply(copy)
    try:
        _forget_compiled(path)
        started_s = time.monotonic()
        answers = ask(removal.tests, copy)
        return Trial(removal, answers, time.monotonic() - started_s)
    finally:
        path.write_text(before, encoding="utf-8")
        _forget_compiled(path)


def ask(tests: Sequence[str], copy: Path) -> list[Answer]:
    """Run tests of the copy and give what each of them said."""
    report = copy.parent / "report.xml"
    report.unlink(missing_ok=True)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("--hypothesis-seed=0", f"--timeout={TEST_TIMEOUT_S}", f"--junitxml={report}"),
            *tests,
        ],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(TRIAL_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    said = read(report.read_text(encoding="utf-8")) if report.exists() else {}
    return [
        min(
            (answer for answer in said.get(plain(test), ()) if _belongs(answer, test)),
            key=lambda answer: WORST_FIRST.index(answer.outcome),
            default=Answer(test, "missing", "it did not run"),
        )
        for test in tests
    ]


def read(report: str) -> dict[str, list[Answer]]:
    """Give what every test of a JUnit report said, by id without parameters."""
    said: dict[str, list[Answer]] = {}
    for case in ElementTree.fromstring(report).iter("testcase"):
        module = (case.get("classname") or "").replace(".", "/")
        test = f"{module}.py::{case.get('name')}"
        outcome, why = _outcome(case)
        said.setdefault(plain(test), []).append(Answer(test, outcome, why))
    return said


def plain(test: str) -> str:
    """Give a test's id without its parameters."""
    return test.partition("[")[0]


def _outcome(case: ElementTree.Element) -> tuple[Outcome, str]:
    for kind in ("error", "failure", "skipped"):
        found = case.find(kind)
        if found is None:
            continue
        why = (found.get("message") or "").strip()
        first = why.splitlines()[0] if why else ""
        if kind == "failure":
            return ("broken" if BROKEN.search(why) else "failed"), first
        return ("error" if kind == "error" else "skipped"), first
    return "passed", ""


def _belongs(answer: Answer, test: str) -> bool:
    return "[" not in test or answer.test == test


def _forget_compiled(path: Path) -> None:
    """Remove the compiled file: the next text may have the same size and second."""
    if path.suffix == ".py":
        Path(cache_from_source(str(path))).unlink(missing_ok=True)
