"""Names the code that learns, so that learners of other code are never continued by it.

What counts: every module of ours that folding a lesson can reach, read as syntax (comments,
docstrings and layout aside), and the machine with its versions of River, numpy and Python
(:mod:`models.machine`), since equal bits are promised on one kind of machine only.
"""

import ast
from collections.abc import Callable, Iterator
from hashlib import blake2b
from importlib.util import find_spec

from models.learners.digest import DIGEST_BYTES, digest_content
from models.machine import machine_name
from schemas.errors import MisconfiguredError

OURS = ("models", "schemas")
ROOT = "models.learning"

Source = Callable[[str], str]
"""Gives the source text of a module by its name."""


def read_source(module: str) -> str:
    """Give the source text of an installed module.

    Raises:
        MisconfiguredError: it was installed without; install Riverdesk with its sources.
    """
    spec = find_spec(module)
    loader = None if spec is None else spec.loader
    source = None if loader is None else loader.get_source(module)  # type: ignore[attr-defined]
    if source is None:
        raise MisconfiguredError(f"{module} has no source; install Riverdesk with its sources")
    return str(source)


def digest_code(read: Source = read_source) -> str:
    """Give the digest of all code that learns, and of the machine: 32 hexadecimal characters.

    Args:
        read: Where sources come from; tests change them.
    """
    found: dict[str, str] = {}
    waiting = [ROOT]
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        tree = ast.parse(read(module))
        waiting.extend(_imported(tree))
        found[module] = _digest_tree(tree)
    return digest_content(found, machine_name())


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if _is_ours(each.name))
        elif isinstance(node, ast.ImportFrom) and node.module and _is_ours(node.module):
            yield node.module
            if _is_package(node.module):  # `from models import core` names a module
                inner = (f"{node.module}.{each.name}" for each in node.names)
                yield from (module for module in inner if find_spec(module) is not None)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in OURS


def _is_package(module: str) -> bool:
    spec = find_spec(module)
    return spec is not None and spec.submodule_search_locations is not None


def _digest_tree(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        match node:
            case (
                ast.Module(body=body)
                | ast.ClassDef(body=body)
                | ast.FunctionDef(body=body)
                | ast.AsyncFunctionDef(body=body)
            ):
                node.body = [each for each in body if not _is_text(each)]
    return blake2b(ast.dump(tree).encode(), digest_size=DIGEST_BYTES).hexdigest()


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
