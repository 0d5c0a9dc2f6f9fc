"""Strikes at what the desks keep on disk: checkpoints and state."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random

from streams.chaos.rig import Rig
from streams.stack.role_process import RoleProcess

FULL_BYTES = 65_536


def corrupt(rig: Rig, draw: Random) -> str:
    """Flip a bit in every checkpoint; a desk starts again."""

    def damage(path: Path) -> None:
        content = bytearray(path.read_bytes())
        if content:
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
            path.write_bytes(content)

    return _strike_checkpoints(rig, draw, damage)


def truncate(rig: Rig, draw: Random) -> str:
    """Cut off every checkpoint; a desk starts again."""
    return _strike_checkpoints(
        rig, draw, lambda path: os.truncate(path, draw.randrange(path.stat().st_size + 1))
    )


def lose_state(rig: Rig, draw: Random) -> str:
    """Take a desk's whole state directory away."""
    each = rig.one_of("desk", draw)
    with rig.alone(each), rig.keeper.down(each):
        each.kill()
        _lose(each)
    return each.name


def fill(rig: Rig, draw: Random, hold_s: float) -> str:
    """Leave no space for checkpoints; a desk starts again meanwhile."""
    directory = rig.checkpoint_directory
    directory.mkdir(parents=True, exist_ok=True)
    each = rig.one_of("desk", draw)
    with rig.alone("checkpoints"):
        undo = _fill(rig, directory)
        try:
            with rig.alone(each), rig.keeper.down(each):
                each.kill()
            rig.hold(hold_s)
        finally:
            undo()
    return each.name


def _strike_checkpoints(rig: Rig, draw: Random, damage: Callable[[Path], None]) -> str:
    each = rig.one_of("desk", draw)
    count = 0
    with rig.alone("checkpoints"), rig.alone(each), rig.keeper.down(each):
        each.kill()
        for path in _checkpoints(rig):
            try:
                damage(path)
                count += 1
            except FileNotFoundError:
                continue  # another desk has just replaced it
        _lose(each)  # so that it must look at the checkpoints
    return f"{each.name}, {count} files"


def _checkpoints(rig: Rig) -> list[Path]:
    return sorted(path for path in rig.checkpoint_directory.rglob("*") if path.is_file())


def _lose(each: RoleProcess) -> None:
    shutil.rmtree(each.settings.state_dir / each.settings.worker, ignore_errors=True)


def _fill(rig: Rig, directory: Path) -> Callable[[], None]:
    """Put a small full file system over a directory, or else a file in its place."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={FULL_BYTES}", "tmpfs", str(directory)]
    if shutil.which("mount") and subprocess.run(mount, capture_output=True).returncode == 0:
        with (directory / "ballast").open("wb") as file:
            file.write(bytes(FULL_BYTES - 4_096))

        def unmount() -> None:
            subprocess.run(["umount", "-l", str(directory)], capture_output=True, check=True)

        return unmount
    rig.notes.append("checkpoints_full: no file system may be mounted here; a file was in the way")
    aside = directory.with_name(f"{directory.name}.aside")
    directory.rename(aside)
    directory.touch()

    def restore() -> None:
        directory.unlink()
        aside.rename(directory)

    return restore
