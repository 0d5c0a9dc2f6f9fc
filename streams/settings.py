"""Settings of Riverdesk: environment variables ``RIVERDESK_*``, read here and nowhere else.

``RIVERDESK_KAFKA__BOOTSTRAP=broker:9092`` sets ``settings.kafka.bootstrap``; ``riverdesk settings``
prints them all.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.errors import MisconfiguredError


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSettings(_Group):
    """The broker and what every client of it shares."""

    bootstrap: str = "127.0.0.1:9092"
    session_timeout_ms: int = Field(default=10_000, ge=1_000)
    heartbeat_ms: int = Field(default=1_000, ge=100)
    delivery_timeout_ms: int = Field(default=15_000, ge=1_000)
    security_protocol: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "plaintext"
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None


class TopicSettings(_Group):
    """How topics are created; counts are fixed afterwards (growth is a migration)."""

    partitions: int = Field(default=12, ge=1, le=1_000)
    replication_factor: int = Field(default=1, ge=1)


class WarehouseSettings(_Group):
    """The ClickHouse server, native protocol."""

    host: str = "127.0.0.1"
    port: int = 9000
    database: str = "riverdesk"
    user: str = "default"
    password: SecretStr = SecretStr("")


class DeskSettings(_Group):
    """The role that decides."""

    batch_records: int = Field(default=500, ge=1)
    gather_ms: int = Field(default=0, ge=0, le=1_000)
    """How long the broker may gather records while few come: fewer wake-ups, so much later; 0: it
    answers at once, and only what comes while the desk is busy gathers."""
    clock: Literal["wall", "events"] = "wall"
    """``wall``: quiet partitions tick by the clock. ``events``: only events move time (replays)."""
    tick_interval_ms: int = Field(default=60_000, ge=1_000)
    lessons_per_batch: int = Field(default=1, ge=1)
    """So many between two small batches; behind a large one half as many as it had records."""
    checkpoint_every_lessons: int = Field(default=20_000, ge=1)
    checkpoints_kept: int = Field(default=3, ge=1)
    state_checkpoint_every_s: float = Field(default=900.0, gt=0)
    digest_every_lessons: int = Field(default=20_000, ge=1)
    dead_run_limit: int = Field(default=2_000, ge=1)
    dead_window: int = Field(default=10_000, ge=1, le=10_000)
    dead_share_limit: float = Field(default=0.5, gt=0, le=1)
    web_port: int = 6066


class PublisherSettings(_Group):
    """The role that turns the journal into the topics people subscribe to."""

    batch_records: int = Field(default=1_000, ge=1)
    gather_ms: int = Field(default=20, ge=0, le=1_000)
    from_beginning: bool = False
    """Publish the whole journal again where the group's positions were lost."""
    web_port: int = 6067


class ArchiverSettings(_Group):
    """The role that lands the journal in the warehouse."""

    batch_records: int = Field(default=2_000, ge=1)
    gather_ms: int = Field(default=100, ge=0, le=1_000)
    flush_rows: int = Field(default=20_000, ge=1)
    """Rows of one range. Each table takes a part of them: small inserts cost ClickHouse most."""
    flush_interval_ms: int = Field(default=1_000, ge=10)
    web_port: int = 6068


class HealthSettings(_Group):
    """The watchdog of every role."""

    look_every_ms: int = Field(default=1_000, ge=100)
    stuck_after_ms: int = Field(default=120_000, ge=1_000)
    """Longer than whatever ends by itself: a transaction that fails may take 90 s."""


class Settings(BaseSettings):
    """All settings, validated at start."""

    model_config = SettingsConfigDict(
        env_prefix="RIVERDESK_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    worker: str = "worker-1"
    """Name of this worker: stable over restarts, unique per role."""
    state_dir: Path = Path("state")
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    masking_key: SecretStr = SecretStr("riverdesk")
    """Key of the tokens that stand for card numbers and devices; set your own."""
    checkpoint_key: SecretStr | None = None
    """Key of the HMAC over checkpoints; without it a plain digest is checked."""
    checkpoint_dir: Path | None = None
    """Where checkpoints go; workers may share it. Without it ``checkpoints`` in ``state_dir``."""
    web_host: str = "127.0.0.1"
    kafka: KafkaSettings = KafkaSettings()
    topics: TopicSettings = TopicSettings()
    warehouse: WarehouseSettings = WarehouseSettings()
    desk: DeskSettings = DeskSettings()
    publisher: PublisherSettings = PublisherSettings()
    archiver: ArchiverSettings = ArchiverSettings()
    health: HealthSettings = HealthSettings()

    @property
    def checkpoints_path(self) -> Path:
        """Where checkpoints go."""
        return self.checkpoint_dir or self.state_dir / "checkpoints"

    @property
    def checkpoint_key_bytes(self) -> bytes | None:
        """The key that seals checkpoints, where one is set."""
        key = self.checkpoint_key
        return key.get_secret_value().encode() if key else None


def load() -> Settings:
    """Read the settings from the environment.

    Raises:
        MisconfiguredError: names every variable that cannot be used.
    """
    try:
        return Settings()
    except ValidationError as fault:
        faults = [
            f"RIVERDESK_{'__'.join(str(part) for part in error['loc']).upper()}: {error['msg']}"
            for error in fault.errors()
        ]
        raise MisconfiguredError("\n".join(faults)) from None
