"""Checkpoints of the learners: written whole, verified before a byte of them is unpickled."""

import hashlib
import hmac
import os
import pickle
from pathlib import Path

import structlog

from models.learning import Learners

log = structlog.get_logger(__name__)

MAGIC = b"riverdesk-learners-1\n"
SEAL_BYTES = 32


class Checkpoints:
    """A directory with the newest checkpoints.

    Args:
        directory: Made if missing.
        key: Key of the HMAC; without one a plain SHA-256 guards against damage only.
        kept: How many are kept, >= 1.
    """

    def __init__(self, directory: Path, key: bytes | None, kept: int) -> None:
        self._directory = directory
        self._key = key
        self._kept = kept

    def save(self, learners: Learners) -> Path:
        """Write a checkpoint; it is there whole or not at all.

        Raises:
            OSError: the directory cannot be written.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        body = Learners.fingerprint().encode() + b"\n" + pickle.dumps(learners, protocol=5)
        path = self._directory / f"{learners.revision:020d}-{learners.digest}.ckpt"
        beginning = path.with_suffix(".part")
        with beginning.open("wb") as file:
            file.write(MAGIC + self._seal(body) + body)
            file.flush()
            os.fsync(file.fileno())
        beginning.replace(path)
        for old in self._paths()[self._kept :]:
            old.unlink(missing_ok=True)
        return path

    def newest(self) -> Learners | None:
        """Load the newest checkpoint that is whole, sealed with our key and of this code."""
        for path in self._paths():
            learners = self._load(path)
            if learners is not None:
                return learners
        return None

    def _load(self, path: Path) -> Learners | None:
        raw = path.read_bytes()
        seal, body = raw[len(MAGIC) :][:SEAL_BYTES], raw[len(MAGIC) + SEAL_BYTES :]
        if not raw.startswith(MAGIC) or not hmac.compare_digest(seal, self._seal(body)):
            log.warning("checkpoint_refused", path=path.name, reason="the seal does not match")
            return None
        fingerprint, _, pickled = body.partition(b"\n")
        if fingerprint.decode() != Learners.fingerprint():
            log.warning("checkpoint_refused", path=path.name, reason="made by other code")
            return None
        learners = pickle.loads(pickled)
        return learners if isinstance(learners, Learners) else None

    def _paths(self) -> list[Path]:
        return sorted(self._directory.glob("*.ckpt"), reverse=True)

    def _seal(self, body: bytes) -> bytes:
        if self._key is None:
            return hashlib.sha256(body).digest()
        return hmac.new(self._key, body, hashlib.sha256).digest()
