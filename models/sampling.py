"""Choosing a share of all subjects by their id: the same ones in every process."""

from hashlib import blake2b


def is_chosen(subject_id: str, purpose: str, share: float) -> bool:
    """Tell whether a subject is in the share; purposes choose independently of each other.

    >>> sum(is_chosen(f"t{i}", "implicit", 0.1) for i in range(10_000))
    1029
    """
    return _drawn(subject_id, purpose) < share * 2.0**64


def draw(subject_id: str, purpose: str) -> float:
    """Give a subject's number in [0, 1): below a share as often as the share says.

    >>> sum(draw(f"t{i}", "implicit") < 0.1 for i in range(10_000))
    1029
    """
    return (_drawn(subject_id, purpose) >> 11) / 2.0**53


def _drawn(subject_id: str, purpose: str) -> int:
    drawn = blake2b(f"{purpose}/{subject_id}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn, "big")
