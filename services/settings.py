"""Every setting of the program: an environment variable, or a line in a `.env` file of the working folder."""

from __future__ import annotations

import math
import os
import sys
from datetime import time
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parent.parent
TURN_PROCESSES = 2
"""On two cores three do no more turns. More cores are of use to more, but memory for them is not always there."""
CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")
"""Microseconds of processor time in so many: what a container may use, or `max`."""


def usable_cores(limit: Path = CPU_LIMIT) -> int:
    """Cores that this process may run on, by its affinity and by the limit of its container."""
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = limit.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else max(1, min(cores, math.ceil(int(quota) / int(period))))


class Settings(BaseSettings):
    """docs/settings.md describes each for the operator; a test holds that page complete."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", populate_by_name=True)

    environment: Literal["demo", "production"] = Field("demo", alias="SAPA_ENV")
    port: int = Field(8080, alias="PORT")
    host: str = Field("127.0.0.1", alias="HOST")
    data_dir: Path = Field(Path("var"), alias="SAPA_DATA_DIR")
    database_url: str = Field("", alias="DATABASE_URL")
    redis_url: str = Field("", alias="REDIS_URL", pattern=r"^$|^rediss?://\S+$|^unix://\S+$")
    keys: str = Field("", alias="SAPA_KEYS")
    models_dir: Path = Field(Path("models"), alias="SAPA_MODELS_DIR")
    knowledge_dir: Path = Field(PROJECT / "knowledge", alias="SAPA_KNOWLEDGE_DIR")
    encoder_threads: int = Field(1, alias="SAPA_ENCODER_THREADS", ge=1, le=16)
    turn_processes: int | None = Field(None, alias="SAPA_TURN_PROCESSES", ge=0, le=64)
    public_url: str = Field(
        "", alias="SAPA_PUBLIC_URL", pattern=r"^$|^https://[^\s/?#@]+$|^http://(localhost|127\.0\.0\.1)(:\d{1,5})?$"
    )
    receipt_hours: int = Field(72, alias="SAPA_RECEIPT_HOURS", ge=1, le=8760)
    allowed_origins: str = Field(
        "", alias="SAPA_ALLOWED_ORIGINS", pattern=r"^$|^\s*https?://[^\s/,?#@*]+/?\s*(,\s*https?://[^\s/,?#@*]+/?\s*)*$"
    )
    allowed_hosts: str = Field("", alias="SAPA_ALLOWED_HOSTS")
    limits: Literal["outside", "all", "off"] = Field("outside", alias="SAPA_LIMITS")
    session_hours: int = Field(24, alias="SAPA_SESSION_HOURS", ge=1, le=720)
    cut_off: time = Field(time(15, 0), alias="SAPA_CUT_OFF")
    action_seconds: float = Field(8.0, alias="SAPA_ACTION_SECONDS", gt=0)
    file_megabytes: int = Field(10, alias="SAPA_FILE_MEGABYTES", ge=1, le=100)
    clamd: str = Field("", alias="SAPA_CLAMD", pattern=r"^$|^unix:/\S+$|^[^\s:/]+:\d{1,5}$")
    metrics_token: str = Field("", alias="SAPA_METRICS_TOKEN")
    oidc_issuer: str = Field(
        "", alias="SAPA_OIDC_ISSUER", pattern=r"^$|^https://[^\s?#]+$|^http://(localhost|127\.0\.0\.1)(:\d{1,5})?(/[^\s?#]*)?$"
    )
    oidc_client_id: str = Field("", alias="SAPA_OIDC_CLIENT_ID")
    oidc_client_secret: str = Field("", alias="SAPA_OIDC_CLIENT_SECRET")
    oidc_login_claim: str = Field("", alias="SAPA_OIDC_LOGIN_CLAIM", pattern=r"^\w{0,40}$")
    telegram_bot_token: str = Field("", alias="TELEGRAM_BOT_TOKEN")
    telegram_webhook_url: str = Field("", alias="TELEGRAM_WEBHOOK_URL", pattern=r"^$|^https://[^\s/?#@]+/[^\s?#]+$")
    telegram_base_url: str = Field("https://api.telegram.org/bot", alias="TELEGRAM_BASE_URL")
    simpel_url: str = Field("", alias="SIMPEL_URL")
    simpel_token: str = Field("", alias="SIMPEL_TOKEN")
    simpel_database_url: str = Field("", alias="SIMPEL_DATABASE_URL")
    simpel_hash_key: str = Field("", alias="SIMPEL_HASH_KEY")
    simpel_relation: str = Field("simpel_requests", alias="SIMPEL_RELATION")

    @property
    def address(self) -> str:
        """Where citizens reach the server, without a slash at its end: `SAPA_PUBLIC_URL`, or this machine."""
        return self.public_url or f"http://localhost:{self.port}"

    @property
    def turn_processes_in_force(self) -> int:
        """How many processes answer beside the one that listens: `SAPA_TURN_PROCESSES`, or two on SQLite.

        0 where there is one core only, or no fork that can be relied on: threads of the encoder do not live on in a fork.
        """
        if self.encoder_threads > 1 or sys.platform != "linux":
            return 0
        if self.turn_processes is not None:
            return self.turn_processes
        return TURN_PROCESSES if usable_cores() > 1 and not self.database_url else 0

    @property
    def simpel_is_built_in(self) -> bool:
        """Whether the status of a SIMPEL request comes from the program's own table, where the demo has its requests."""
        elsewhere = self.simpel_url or self.simpel_database_url or self.simpel_hash_key
        return not elsewhere and self.simpel_relation == "simpel_requests"

    @property
    def hosts(self) -> list[str]:
        """Names under which it answers: `SAPA_ALLOWED_HOSTS`; in production the public address and this machine; empty for any."""
        named = [host.strip() for host in self.allowed_hosts.split(",") if host.strip()]
        if not named and self.environment == "production" and self.public_url:
            named = [urlsplit(self.public_url).hostname or "", "localhost", "127.0.0.1"]
        return named

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force: `DATABASE_URL`, or SQLite in the data folder."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute()}/sapa.db"
