"""Which strike belongs to which kind of fault."""

from random import Random

from streams.chaos.plan import Strike
from streams.chaos.rig import Rig, Server
from streams.chaos.strikes import clocks, files, processes, servers, traffic


def strike(rig: Rig, what: Strike) -> str:
    """Strike, let it last, lift it; gives what was struck.

    Raises:
        RiverdeskError: the fault could not be caused or lifted; the campaign proves nothing.
    """
    draw, kind, hold_s = Random(what.seed), what.fault.kind, what.hold_s
    match what.fault.target:
        case "process":
            return _process(rig, kind, draw, hold_s)
        case "group":
            if kind == "worker_added":
                return processes.add(rig, hold_s)
            return processes.remove(rig, draw, hold_s)
        case "broker" | "warehouse" as server:
            return _server(rig, _ours(rig, server), kind, draw, hold_s)
        case "files":
            return _files(rig, kind, draw, hold_s)
        case "traffic":
            return _traffic(rig, kind, draw)
        case "clock":
            return clocks.jump(rig, draw, hold_s)


def _process(rig: Rig, kind: str, draw: Random, hold_s: float) -> str:
    role, _, how = kind.partition("_")
    if how == "killed":
        return processes.kill(rig, role, draw)
    if how == "terminated":
        return processes.terminate(rig, role, draw)
    return processes.freeze(rig, role, draw, hold_s)


def _server(rig: Rig, server: Server, kind: str, draw: Random, hold_s: float) -> str:
    _, _, how = kind.partition("_")
    if how in ("killed", "away"):
        return servers.kill(rig, server, hold_s)
    if how == "restarted":
        return servers.restart(rig, server, hold_s)
    if how == "frozen":
        return servers.freeze(rig, server, hold_s)
    if how == "read_only":
        return servers.make_read_only(rig, server, draw, hold_s)
    return servers.take_table(rig, server, draw, hold_s)


def _files(rig: Rig, kind: str, draw: Random, hold_s: float) -> str:
    if kind == "checkpoints_full":
        return files.fill(rig, draw, hold_s)
    if kind == "checkpoint_corrupt":
        return files.corrupt(rig, draw)
    if kind == "checkpoint_truncated":
        return files.truncate(rig, draw)
    return files.lose_state(rig, draw)


def _traffic(rig: Rig, kind: str, draw: Random) -> str:
    if kind == "poison_burst":
        return traffic.poison(rig, draw)
    if kind == "duplicate_producer":
        return traffic.repeat(rig, draw)
    return traffic.disorder(rig, draw)


def _ours(rig: Rig, which: str) -> Server:
    server = rig.broker if which == "broker" else rig.warehouse
    if server is None:
        raise AssertionError(f"the {which} is not ours to strike")
    return server
