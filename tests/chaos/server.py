"""A real `sapa serve` on a data folder of its own, to be killed in mid-work and started again."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.processes import Server, free_port
from services.settings import PROJECT

SERVE = (str(Path(sys.executable).with_name("sapa")), "serve")


class RealServer:
    """Always stop it: `with RealServer(...) as server:` does."""

    def __init__(self, folder: Path, command: Sequence[str] = SERVE, /, **environment: str) -> None:
        """`environment`: settings beside those of folder, port and model."""
        self._command = command
        self.data, self.port, self.lives = folder / "data", free_port(), 0
        self._folder = folder
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = {"SAPA_DATA_DIR": str(self.data), "PORT": str(self.port), "SAPA_MODELS_DIR": str(PROJECT / "models")}
        self._environment = {**inherited, **own, **environment}
        self._server: Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        """The embedded database; it may be read once the server is killed."""
        return self.data / "sapa.db"

    def start(self) -> None:
        """Return when it answers. Blocks for seconds; call it from a thread where something else has to go on."""
        self.lives += 1
        log = self._folder / f"serve-{self.lives}.log"
        self._server = Server(self._command, self._environment, PROJECT, f"{self.url}/readyz", log)
        self._server.start()
        self._server.wait()

    def family(self) -> list[int]:
        """The ids of its processes: the one that listens, its keeper, and those that answer."""
        assert self._server
        return self._server.family()

    def kill(self) -> None:
        """kill -9, now."""
        assert self._server
        self._server.kill()

    def end(self) -> int:
        """SIGTERM, as a service manager ends it; the code with which it ended. Raises `subprocess.TimeoutExpired` where it didn't."""
        assert self._server
        return self._server.end()

    @property
    def pid(self) -> int:
        assert self._server
        return self._server.pid

    def logs(self) -> str:
        """What all lives have logged, standard output included."""
        return "".join(path.read_text(errors="replace") for path in sorted(self._folder.glob("serve-*.log")))

    def __enter__(self) -> RealServer:
        return self

    def __exit__(self, *error: object) -> None:
        if self._server:
            self._server.stop()
