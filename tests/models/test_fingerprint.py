import ast
from importlib.metadata import version

import pytest

from models import fingerprint, learning
from models.fingerprint import digest_code, read_source
from models.learning import Learners
from models.machine import machine_name


def reached() -> list[str]:
    seen: list[str] = []
    digest_code(lambda module: seen.append(module) or read_source(module))  # type: ignore[func-returns-value]
    return sorted(seen)


REACHED = reached()
BEFORE = digest_code()


def changed(module: str, old: str, new: str) -> str:
    assert old in read_source(module)
    return digest_code(
        lambda name: read_source(name).replace(old, new) if name == module else read_source(name)
    )


def test_fingerprint_reaches_every_learner() -> None:
    learners = Learners()
    parts = [learners, *vars(learners).values(), *vars(learners.risk).values()]
    ours = {type(part).__module__ for part in parts if type(part).__module__.startswith("models.")}
    assert len(ours) > 6
    assert ours <= set(REACHED)


@pytest.mark.parametrize("module", REACHED)
def test_fingerprint_notices_a_changed_number_in_any_module(module: str) -> None:
    class Raised(ast.NodeTransformer):
        count = 0

        def visit_Constant(self, node: ast.Constant) -> ast.Constant:
            if self.count == 0 and type(node.value) in (int, float):
                self.count += 1
                return ast.Constant(node.value + 1)
            return node

    raised = Raised()
    other = ast.unparse(raised.visit(ast.parse(read_source(module))))
    if not raised.count:
        other += "\nCHANGED = 1"
    assert digest_code(lambda name: other if name == module else read_source(name)) != BEFORE


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("models.learning", "window_size=200", "window_size=201"),
        ("models.learning", "NEGATIVE_SHARE = 0.1", "NEGATIVE_SHARE = 0.2"),
        ("models.learners.softmax", "learning_rate: float = 4.0", "learning_rate: float = 3.9"),
        ("models.learners.softmax", "-= self.bias_rate * slope", "+= self.bias_rate * slope"),
    ],
)
def test_fingerprint_notices_a_changed_configuration(module: str, old: str, new: str) -> None:
    assert changed(module, old, new) != BEFORE


def test_fingerprint_does_not_mind_comments_and_docstrings() -> None:
    module = "models.learners.softmax"
    assert changed(module, "Multi-class classifier", "Classifier") == BEFORE
    assert changed(module, "\nREST", "\n# a comment\nREST") == BEFORE


@pytest.mark.parametrize("library", ["river", "numpy"])
def test_fingerprint_notices_another_library_or_machine(
    monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    here = machine_name()
    assert f"{library}-{version(library)} " in here
    monkeypatch.setattr(fingerprint, "machine_name", lambda: here.replace(version(library), "9"))
    assert digest_code() != BEFORE


def test_fingerprint_of_learners_follows_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Learners.fingerprint()
    monkeypatch.setattr(learning, "digest_code", lambda: "other")
    assert learning._fingerprint.__wrapped__() != before
