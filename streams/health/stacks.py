"""Where every thread and every task of this process is: files, lines and functions, no values."""

import asyncio
import gc
import sys
import threading
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any


def describe_stacks(loop: asyncio.AbstractEventLoop | None) -> str:
    """Give the stacks of all threads and of the loop's tasks, innermost call last."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    lines: list[str] = []
    for ident, frame in sys._current_frames().items():
        lines.append(f"thread {names.get(ident, ident)}:\n")
        lines.extend(traceback.format_stack(frame))
    try:
        tasks = asyncio.all_tasks(loop) if loop is not None else set()
    except RuntimeError:  # the loop goes on making tasks while we look: it is not the culprit
        tasks = set()
    for task in sorted(tasks, key=lambda task: task.get_name()):
        lines.append(f"task {task.get_name()}:\n")
        stack = traceback.StackSummary.extract(
            (frame, frame.f_lineno) for frame in _frames(task.get_coro())
        )
        lines.extend(stack.format())
    return "".join(lines)


def _frames(awaited: Any) -> Iterator[FrameType]:
    """Follow what is awaited; a task itself names only its outermost call."""
    while awaited is not None:
        prefix = _kind(awaited)
        if prefix is None:
            # what `__await__` and `async for` give hides its coroutine from all but the collector
            awaited = next((each for each in gc.get_referents(awaited) if _kind(each)), None)
            continue
        frame = getattr(awaited, f"{prefix}_frame")
        if frame is not None:
            yield frame
        awaited = getattr(awaited, "gi_yieldfrom" if prefix == "gi" else f"{prefix}_await")


def _kind(awaited: Any) -> str | None:
    """Tell a coroutine, a generator or an asynchronous one by the names that it uses."""
    return next((each for each in ("cr", "gi", "ag") if hasattr(awaited, f"{each}_frame")), None)
