"""What the system stands on, as processes of the test's own in a folder of its own: all of it may be killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from cryptography.fernet import Fernet

from bot.model_files import model_files
from tests.scale.programs import LOCALE, program

PROJECT = Path(__file__).resolve().parents[2]
READY_SECONDS = 240
OTHER_MODEL = "0123456789ab"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, is_so: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.05)


class Postgres:
    """A cluster of its own, so that a restart harms nobody. PostgreSQL refuses to run as root: then it is the user postgres."""

    def __init__(self, folder: Path) -> None:
        binaries = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self._initdb, self._pg_ctl = program("initdb", *binaries), program("pg_ctl", *binaries)
        self._folder, self._data = folder, folder / "data"
        self.port = free_port()
        self.url = f"postgresql://sapa@127.0.0.1:{self.port}/postgres"
        folder.mkdir()
        if self._as:
            shutil.chown(folder, "postgres")
        self._run(self._initdb, "-D", self._data, "-U", "sapa", "--auth=trust", "--no-sync", "-E", "UTF8")

    def start(self) -> None:
        options = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 -c max_connections=120"
        self._run(self._pg_ctl, "-D", self._data, "-l", self._folder / "log", "-w", "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """`immediate` is what a power cut is: no answer to anybody, recovery at the next start."""
        self._run(self._pg_ctl, "-D", self._data, "-m", mode, "-w", "stop")

    def cut_connections(self) -> int:
        """End every connection of the servers at once; how many."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            others = "backend_type = 'client backend' AND pid <> pg_backend_pid()"
            return len(connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}").fetchall())

    def _run(self, *command: str | Path) -> None:
        subprocess.run([*self._as, *map(str, command)], env=LOCALE, cwd="/", check=True, timeout=90, stdout=subprocess.DEVNULL)


class Process:
    """A program that is started, ended, killed and started again."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str] | None = None) -> None:
        self._command, self._log, self._environment = command, log, environment
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(self._command, env=self._environment, cwd=PROJECT, stdout=log, stderr=log)

    def stop(self, seconds: float = 30) -> None:
        if self._running is None:
            return
        self._running.terminate()
        try:
            self._running.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        if self._running:
            self._running.send_signal(signal.SIGKILL)
            self._running.wait()

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def is_alive(self) -> bool:
        return self._running is not None and self._running.poll() is None


class Server(Process):
    """`sapa serve` on a port of its own."""

    def __init__(self, port: int, environment: dict[str, str], log: Path) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        super().__init__([str(Path(sys.executable).with_name("sapa")), "serve"], log, environment | {"PORT": str(port)})

    def is_ready(self) -> bool:
        assert self.is_alive, self.log[-3000:]
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False


class Machines:
    """PostgreSQL, Redis, `servers` and nginx before them."""

    def __init__(self, folder: Path, servers: int) -> None:
        self.folder = folder
        self.postgres = Postgres(folder / "postgres")
        redis_port = free_port()
        redis = [program("redis-server"), "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        self.redis = Process(redis, folder / "redis.log")
        kept = ("SAPA_", "TELEGRAM_", "SIMPEL_", "DATABASE_URL", "REDIS_URL", "HOST", "PORT")
        self.settings = {
            "SAPA_DATA_DIR": str(folder / "var"),
            "SAPA_KEYS": Fernet.generate_key().decode(),
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
            "SAPA_MODELS_DIR": str(self._models()),
            # An empty variable outweighs a line of the developer's own .env file.
            **dict.fromkeys(("TELEGRAM_BOT_TOKEN", "SIMPEL_URL", "SIMPEL_DATABASE_URL", "SAPA_PUBLIC_URL"), ""),
        }
        environment = {key: value for key, value in os.environ.items() if not key.startswith(kept)} | self.settings
        self.environment = environment
        self.servers = [Server(free_port(), environment, folder / f"server{n}.log") for n in range(servers)]
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.nginx = Process([program("nginx"), "-p", str(folder), "-c", self._nginx_file()], folder / "nginx.log")
        (folder / "var" / "cache").mkdir(parents=True)
        vectors = PROJECT / "var" / "cache" / "vectors.db"
        if vectors.exists():
            shutil.copy(vectors, folder / "var" / "cache")

    def start(self) -> None:
        self.postgres.start()
        for process in (self.redis, *self.servers):
            process.start()
        for server in self.servers:
            wait_for(f"{server.url} to be ready", server.is_ready, READY_SECONDS)
        self.nginx.start()

    def stop(self) -> None:
        for process in (self.nginx, *self.servers, self.redis):
            process.kill()
        self.postgres.stop()

    def _models(self) -> Path:
        """A folder with the trained model, and it again as an older one under another version."""
        folder = self.folder / "models"
        folder.mkdir()
        trained = model_files(PROJECT / "models")[0].path
        for name in (f"sapa-{OTHER_MODEL}.tar.gz", trained.name):
            shutil.copyfile(trained, folder / name)
        os.utime(folder / f"sapa-{OTHER_MODEL}.tar.gz", (0, 0))
        return folder

    def model_of_each(self) -> list[str]:
        """The version that each server says it serves."""
        return [json.load(urllib.request.urlopen(f"{server.url}/readyz", timeout=10))["model"] for server in self.servers]

    def sapa(self, *words: str) -> None:
        """Run a command of the program as an operator does."""
        program = str(Path(sys.executable).with_name("sapa"))
        subprocess.run([program, *words], env=self.environment, cwd=PROJECT, check=True, timeout=300, stdout=subprocess.DEVNULL)

    def _nginx_file(self) -> str:
        upstream = "\n".join(f"    server 127.0.0.1:{server.port} max_fails=1 fail_timeout=1s;" for server in self.servers)
        path = self.folder / "nginx.conf"
        path.write_text(f"""
daemon off; master_process off; pid nginx.pid; error_log nginx-error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  upstream sapa {{
{upstream}
    keepalive 16;
  }}
  server {{
    listen 127.0.0.1:{self.port};
    proxy_next_upstream error timeout invalid_header;
    location / {{ include {PROJECT}/deploy/nginx/proxy.conf; proxy_pass http://sapa; }}
    location = /api/chat/messages {{
      include {PROJECT}/deploy/nginx/proxy.conf;
      proxy_next_upstream error timeout invalid_header non_idempotent;
      proxy_pass http://sapa;
    }}
    location = /api/chat/events {{ include {PROJECT}/deploy/nginx/proxy.conf; proxy_buffering off; proxy_pass http://sapa; }}
  }}
}}
""")
        return str(path)


@contextmanager
def machines(servers: int) -> Iterator[Machines]:
    # Not below pytest's own folders, which no other user may enter.
    folder = Path(tempfile.mkdtemp(prefix="sapa-scale-"))
    folder.chmod(0o755)
    made = Machines(folder, servers)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        if not os.environ.get("KEEP"):
            shutil.rmtree(folder, ignore_errors=True)
