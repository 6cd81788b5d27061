"""Processes of a measured system: started on free ports, waited for, weighed and always stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx

READY_SECONDS = 300
STOP_SECONDS = 20
TICKS = os.sysconf("SC_CLK_TCK")


class NotReady(Exception):
    """A server ended or stayed silent; the message names its log."""


class Server:
    """A process in a group of its own. Whoever calls `start` calls `stop`; `running` does both."""

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str], folder: Path, ready_url: str, log: Path):
        self._command = [str(part) for part in command]
        self._environment, self._folder = dict(environment), folder
        self._ready_url, self._log = ready_url, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, env=self._environment, stdout=output, stderr=output, start_new_session=True
            )

    def wait(self) -> None:
        """Until `ready_url` answers 200. Raises `NotReady`."""
        assert self._process
        deadline = time.monotonic() + READY_SECONDS
        with httpx.Client(timeout=5, trust_env=False, verify=False) as client:
            while time.monotonic() < deadline:
                if self._process.poll() is not None:
                    raise NotReady(f"{self._command[0]} ended with {self._process.returncode}; see {self._log}")
                with contextlib.suppress(httpx.HTTPError):
                    if client.get(self._ready_url).status_code == 200:
                        return
                time.sleep(0.05)
        raise NotReady(f"{self._ready_url} was not ready after {READY_SECONDS} s; see {self._log}")

    def stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
                return

    def end(self) -> int:
        """End the process by SIGTERM and give its code. Raises `subprocess.TimeoutExpired` where it does not end by itself."""
        assert self._process
        self._process.terminate()
        return self._process.wait(2 * STOP_SECONDS)

    def kill(self) -> None:
        """End the whole group at once, as a power cut of the process would: nothing in it gets to say a word."""
        if self._process is None or self._process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(STOP_SECONDS)

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def memory_mb(self) -> float:
        """Resident memory of the process and its descendants, in MB of 1,000,000 bytes; what several of them share counts once.

        Counted by the kernel as the proportional set size: a page that two processes have counts half for each.
        """
        return round(sum(_proportional_kb(pid) for pid in self.family()) * 1024 / 1e6, 1)

    @property
    def cpu_seconds(self) -> float:
        """Processor time that the process and its descendants have used."""
        return sum(sum(int(ticks) for ticks in _stat(pid)[11:13]) for pid in self.family()) / TICKS

    def family(self) -> list[int]:
        """The ids of the process and its descendants, parents before children."""
        assert self._process
        children: dict[int, list[int]] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                children.setdefault(int(_stat(int(folder.name))[1]), []).append(int(folder.name))
        family = [self._process.pid]
        for pid in family:
            family += children.get(pid, [])
        return family


def _proportional_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name: state, parent, …"""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


@contextlib.contextmanager
def running(servers: Sequence[Server]) -> Iterator[float]:
    """Starts all at once; gives the seconds until the last was ready."""
    started = time.perf_counter()
    try:
        for server in servers:
            server.start()
        for server in servers:
            server.wait()
        yield round(time.perf_counter() - started, 1)
    finally:
        for server in reversed(servers):
            server.stop()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def run_logged(command: Sequence[str | Path], environment: Mapping[str, str], folder: Path, log: Path) -> None:
    """Runs a command to its end in a group of its own. Raises CalledProcessError, having printed the end of its output."""
    log.parent.mkdir(parents=True, exist_ok=True)
    words = [str(part) for part in command]
    with log.open("wb") as output:
        process = subprocess.Popen(words, cwd=folder, env=dict(environment), stdout=output, stderr=output, start_new_session=True)
        try:
            code = process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            raise
    if code:
        print("\n".join(log.read_text(errors="replace").splitlines()[-15:]))
        raise subprocess.CalledProcessError(code, words)
