"""The same events give the same bits in every process, at every time.

The learners alone are compared between processes in ``test_learners_conformance.py``.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from core_history import digests, played

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PURE = sorted(path for folder in ("models", "schemas") for path in (ROOT / folder).rglob("*.py"))

CLOCKS = {"now", "utcnow", "today", "localtime", "gmtime"}
OUTSIDE = {"time", "uuid", "secrets", "os", "socket", "threading", "multiprocessing", "asyncio"}
"""Modules that answer otherwise in another process or at another time."""
GENERATORS = {"Random", "RandomState", "default_rng", "SystemRandom"}
TO_SET = {"set", "frozenset"}
IN_ORDER = {"list", "tuple", "enumerate", "iter", "next", "zip", "map", "filter", "join", "sum"}
"""What takes the members of a set in its own, salted order (a sum of floats depends on it)."""


def test_core_decides_alike_in_a_process_of_another_hash_seed() -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "core_history.py")],
        env={**os.environ, "PYTHONHASHSEED": "4242", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == digests()


def test_history_that_is_compared_decides_and_learns_everything() -> None:
    desk = played(11)
    kinds = {record["kind"] for record in desk.records}
    tasks = {lesson["task"] for lesson in desk.lessons}
    assert kinds == {"ticket", "transaction", "feedback", "tick"}
    assert tasks == {"risk", "anomaly", "category", "mood"}
    assert desk.alerts
    assert desk.priorities


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(ROOT)))
def test_pure_module_asks_neither_clock_nor_chance_nor_surroundings(path: Path) -> None:
    assert list(faults(path.read_text())) == []


IMPURE = [
    "import time",
    "from time import monotonic",
    "import os",
    "import os.path",
    "from os import environ",
    "from uuid import uuid4",
    "import secrets",
    "datetime.now(UTC)",
    "date.today()",
    "datetime.datetime.utcnow()",
    "random.random()",
    "random.shuffle(x)",
    "from random import choice",
    "random.Random()",
    "Random(None)",
    "Random(seed=None)",
    "np.random.rand(3)",
    "np.random.default_rng()",
    "SystemRandom(1)",
    "hash('a')",
    "id(x)",
    "for x in {1, 2}: pass",
    "for x in set(y): pass",
    "[x for x in {y for y in z}]",
    "list(set(y))",
    "sum({1.5, 2.5})",
    "','.join(frozenset(y))",
    "for x in set(y) | set(z): pass",
]


@pytest.mark.parametrize("source", IMPURE)
def test_check_of_purity_finds(source: str) -> None:
    assert list(faults(source))


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import UTC, datetime",
        "datetime.fromtimestamp(1, UTC)",
        "random.Random(seed)",
        "np.random.default_rng(7)",
        "sorted(set(y))",
        "len({1, 2})",
        "x in {1, 2}",
        "any(x in set(y) for x in z)",
        "import random",
        "self._hash(x)",
    ],
)
def test_check_of_purity_lets_pass(source: str) -> None:
    assert list(faults(source)) == []


def faults(source: str) -> Iterator[str]:
    """Name what in a module's source could answer otherwise in another process or at another time.

    It reads names, not types: a set under a name that is walked later is not seen.
    """
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names if each.name.split(".")[0] in OUTSIDE)
            case ast.ImportFrom(module=str(module), names=names):
                if module.split(".")[0] in OUTSIDE:
                    yield module
                if module == "random":
                    yield from (each.name for each in names if each.name not in GENERATORS)
            case ast.Call(func=ast.Name(id="hash" | "id" as name)):
                yield f"{name}()"
            case ast.Call(func=func, args=args, keywords=keywords):
                name, owner = _name(func), _owner(func)
                given = [*args, *(each.value for each in keywords)]
                if name in CLOCKS:
                    yield f"{owner}.{name}()"
                elif name in GENERATORS:
                    if name == "SystemRandom" or not given or _is_none(given[0]):
                        yield f"{name}() without a seed"
                elif owner == "random":
                    yield f"random.{name}()"
                elif name in IN_ORDER and any(_is_set(each) for each in args):
                    yield f"{name}() of a set"
            case ast.For(iter=walked) | ast.comprehension(iter=walked) if _is_set(walked):
                yield "a set walked in its own order"


def _name(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _owner(func: ast.expr) -> str:
    return _name(func.value) if isinstance(func, ast.Attribute) else ""


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _is_set(value: ast.expr) -> bool:
    match value:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in TO_SET
        case ast.BinOp(left=left, right=right, op=ast.BitOr() | ast.BitAnd() | ast.Sub()):
            return _is_set(left) or _is_set(right)
    return False
