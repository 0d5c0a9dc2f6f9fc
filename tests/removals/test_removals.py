"""The list of removals cannot rot; whether each is noticed is for ``make removals``."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.removals.catalogue import REMOVALS, SECTIONS
from tests.removals.document import PAGE, page
from tests.removals.removal import ROOT, Removal
from tests.removals.trial import Trial, plain, read, try_out

NAMED = sorted({plain(test) for removal in REMOVALS for test in removal.tests})


@cache
def functions(module: str) -> frozenset[str]:
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@pytest.mark.parametrize("removal", REMOVALS, ids=lambda removal: removal.name)
def test_removal_still_finds_its_text_and_leaves_code(removal: Removal, tmp_path: Path) -> None:
    copy = tmp_path / removal.file
    copy.parent.mkdir(parents=True)
    copy.write_text((ROOT / removal.file).read_text(encoding="utf-8"), encoding="utf-8")
    before = removal.apply(tmp_path)
    after = copy.read_text(encoding="utf-8")
    assert after != before
    if copy.suffix == ".py":
        compile(after, str(copy), "exec")


@pytest.mark.parametrize("test", NAMED)
def test_named_test_exists(test: str) -> None:
    module, _, name = test.partition("::")
    assert name in functions(module)


def test_names_are_unique_and_every_removal_names_a_test() -> None:
    twice = [name for name, count in Counter(each.name for each in REMOVALS).items() if count > 1]
    assert twice == []
    assert all(removal.tests and removal.promise for removal in REMOVALS)


def test_page_says_what_the_list_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(SECTIONS), (
        "write it anew: python -m tests.removals --markdown"
    )


@pytest.mark.parametrize("text", ["gone", "e"])
def test_removal_refuses_a_text_that_is_not_there_exactly_once(tmp_path: Path, text: str) -> None:
    (tmp_path / "code.py").write_text("here = there\n")
    with pytest.raises(LookupError, match="not once"):
        Removal("r", "m", "p", "code.py", text, "", ("t",)).apply(tmp_path)
    assert (tmp_path / "code.py").read_text() == "here = there\n"


REPORT = """\
<testsuites><testsuite>
<testcase classname="tests.a" name="test_passed" />
<testcase classname="tests.a" name="test_caught"><failure message="assert 1 == 2" /></testcase>
<testcase classname="tests.a" name="test_cases[1]" />
<testcase classname="tests.a" name="test_cases[2]"><failure message="DID NOT RAISE" /></testcase>
<testcase classname="tests.a" name="test_damaged"><failure
  message="NameError: name 'x' is not defined" /></testcase>
<testcase classname="tests.a" name="test_halted"><failure
  message="AssertionError: [AttributeError('y')]" /></testcase>
<testcase classname="tests.a" name="test_set_up"><error message="failed on setup" /></testcase>
<testcase classname="tests.a" name="test_left_out"><skipped message="no Kafka" /></testcase>
</testsuite></testsuites>
"""


@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        ("test_passed", ["passed"]),
        ("test_caught", ["failed"]),
        ("test_cases", ["passed", "failed"]),
        ("test_damaged", ["broken"]),
        ("test_halted", ["broken"]),
        ("test_set_up", ["error"]),
        ("test_left_out", ["skipped"]),
    ],
)
def test_only_a_test_that_failed_for_a_reason_counts(name: str, outcomes: list[str]) -> None:
    answers = read(REPORT)[f"tests/a.py::{name}"]
    assert [answer.outcome for answer in answers] == outcomes
    for answer in answers:
        assert Trial(REMOVALS[0], [answer], 0.0).caught == (answer.outcome == "failed")
    assert not Trial(REMOVALS[0], [*answers, *read(REPORT)["tests/a.py::test_passed"]], 0.0).caught


def test_trial_takes_the_mechanism_out_asks_the_tests_and_puts_it_back(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "checks").mkdir(parents=True)
    (project / "door.py").write_text("def opens(key):\n    return key == 'right'\n")
    (project / "checks" / "test_door.py").write_text(
        "from door import opens\n\n"
        "def test_right_key_opens():\n    assert opens('right')\n\n"
        "def test_wrong_key_does_not():\n    assert not opens('wrong')\n"
    )
    right, wrong = (
        f"checks/test_door.py::test_{name}" for name in ("right_key_opens", "wrong_key_does_not")
    )
    before = (project / "door.py").read_text()

    def outcomes(new: str, *tests: str) -> list[str]:
        removal = Removal("lock", "m", "p", "door.py", "key == 'right'", new, tests)
        trial = try_out(removal, project)
        assert (project / "door.py").read_text() == before
        return [answer.outcome for answer in trial.answers]

    assert outcomes("True", right, wrong) == ["passed", "failed"]
    assert outcomes("key is lock", wrong) == ["broken"]
    assert outcomes("(", wrong) == ["missing"]  # it could not even be collected
