"""Where every thread and every task of this process is: files, lines and functions, no values."""

import asyncio
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


def _frames(coroutine: Any) -> Iterator[FrameType]:
    """Follow what is awaited; a task itself names only its outermost call."""
    while coroutine is not None:
        for prefix in ("cr", "gi", "ag"):
            frame = getattr(coroutine, f"{prefix}_frame", None)
            if frame is not None:
                yield frame
                awaited = "gi_yieldfrom" if prefix == "gi" else f"{prefix}_await"
                coroutine = getattr(coroutine, awaited, None)
                break
        else:
            return
