"""What a learner consists of: every object that can be reached from it."""

import dataclasses
import importlib
import inspect
import pkgutil
from collections import deque
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import models.learners
import models.quality
from models import knowledge, learning, standins

_PLAIN = (str, bytes, int, float, bool, type(None), type)


def reachable(root: Any) -> Iterator[Any]:
    """Give the object, and all that its attributes and containers hold, each once."""
    waiting, seen = [root], {id(root)}
    keep = []  # what attribute access made stays alive: an id must not be given again
    while waiting:
        at = waiting.pop()
        yield at
        for part in _parts(at):
            if id(part) not in seen:
                seen.add(id(part))
                keep.append(part)
                waiting.append(part)


def _parts(at: Any) -> Iterator[Any]:
    if isinstance(at, _PLAIN) or inspect.isroutine(at) or isinstance(at, ModuleType):
        return
    if isinstance(at, Mapping):
        yield from at.keys()
        yield from at.values()
    elif isinstance(at, list | tuple | set | frozenset | deque):
        yield from at
    yield from getattr(at, "__dict__", {}).values()
    for kind in type(at).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(at, name):
                yield getattr(at, name)


def learning_classes() -> list[type]:
    """Give every class of the learners' modules that can hold what was learned."""
    modules = [knowledge, learning, standins]
    for package in (models.learners, models.quality):
        names = [found.name for found in pkgutil.iter_modules(package.__path__)]
        modules += [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    return [
        kind
        for module in modules
        for kind in vars(module).values()
        if inspect.isclass(kind) and kind.__module__ == module.__name__ and not _is_fixed(kind)
    ]


def _is_fixed(kind: type) -> bool:
    """Tell whether objects of a class never change, or there are none."""
    frozen = dataclasses.is_dataclass(kind) and kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    return frozen or issubclass(kind, tuple | Exception) or getattr(kind, "_is_protocol", False)
