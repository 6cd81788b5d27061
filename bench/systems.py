"""The two measured systems: how each is set up, trained, served and timed. Nothing is measured here but training."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import yaml

from bench.load import Channel, OwnChannel, StockChannel
from bench.processes import Server, free_port, run_logged
from bot.training import fingerprint

PROJECT = Path(__file__).resolve().parent.parent
WORK = PROJECT / "bench" / ".work"
STOCK = PROJECT / "bench" / "stock"
WARM_UP = 5
QUIET = {"RASA_TELEMETRY_ENABLED": "false", "UV_PYTHON_DOWNLOADS": "never", "PYTHONWARNINGS": "ignore"}
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "SAPA_ENCODER_THREADS": "1",
    "TF_INTRA_OP_PARALLELISM_THREADS": "1",
    "TF_INTER_OP_PARALLELISM_THREADS": "1",
}
EPOCHS = 100


@dataclass(frozen=True)
class Training:
    """What a training cost, kept beside the model so that `--quick` can tell it."""

    seconds: float
    cpu_seconds: float
    data: str
    trained_at: str
    epochs: int | None = None
    nice: int = 0
    """Above 0, other work had the machine first."""
    warm: bool = False
    """Sentences encoded in an earlier run were at hand."""


def inherited() -> dict[str, str]:
    """The reader's environment without settings of the assistant."""
    ours = ("SAPA_", "SIMPEL_", "TELEGRAM_", "DATABASE_URL", "REDIS_URL", "RASA_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | QUIET


def data_digest() -> str:
    """12 hex digits, the same for the same data/ and domain.yml."""
    digest = hashlib.sha256()
    for path in [PROJECT / "domain.yml", *sorted((PROJECT / "data").rglob("*.yml"))]:
        digest.update(str(path.relative_to(PROJECT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def timed_training(command: list[str | Path], environment: Mapping[str, str], folder: Path, log: Path, nice: int) -> Training:
    data, before, started = data_digest(), resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    run_logged(["nice", "-n", str(nice), *command], environment, folder, log)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Training(round(seconds, 1), round(cpu, 1), data, datetime.now(UTC).isoformat(timespec="seconds"), nice=nice)


def timed_parsing(command: list[str | Path], environment: Mapping[str, str], folder: Path, texts: list[str]) -> list[float]:
    """Runs a program that reads texts from one file and leaves milliseconds in another."""
    questions, result = WORK / "texts.json", WORK / "milliseconds.json"
    questions.write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    result.unlink(missing_ok=True)
    run_logged([*command, questions, result], {**environment, **ONE_THREAD}, folder, WORK / "parse.log")
    return [float(ms) for ms in json.loads(result.read_text())[WARM_UP:]]


class RasaServers:
    """Rasa's own server and action server, whose actions do nothing, on a model that somebody has trained."""

    name: str
    folder: Path
    model: Path
    rasa: Path
    action_server: ClassVar[list[str | Path]]

    def environment(self) -> dict[str, str]:
        """All variables that both programs get; each system has its own."""
        raise NotImplementedError

    def servers(self, environment: Mapping[str, str] | None = None) -> tuple[list[Server], Channel]:
        """Both on an empty database."""
        actions, port = free_port(), free_port()
        self._database.unlink(missing_ok=True)
        variables = {
            **self.environment(),
            "STOCK_ACTIONS_PORT": str(actions),
            "STOCK_DATABASE_URL": f"sqlite:///{self._database}",
            **(environment or {}),
        }
        url = f"http://127.0.0.1:{port}"
        run_actions: list[str | Path] = [*self.action_server, "--actions", "actions", "--port", str(actions)]
        run: list[str | Path] = [self.rasa, "run", "--enable-api", "--interface", "127.0.0.1", "--port", str(port)]
        run += ["--model", self.model, "--endpoints", STOCK / "endpoints.yml", "--credentials", STOCK / "credentials.yml"]
        health = f"http://127.0.0.1:{actions}/health"
        return [
            Server(run_actions, variables, self.folder, health, self.folder / "actions.log"),
            Server(run, variables, self.folder, f"{url}/status", self.folder / "run.log"),
        ], StockChannel(url)

    def disk_bytes(self) -> int:
        return _size(self._database)

    @property
    def _database(self) -> Path:
        return self.folder / "tracker.db"

    def _lay_out(self) -> None:
        """A folder of its own with what is learned from, and the domain, which the actions read."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(PROJECT / "data", self.folder / "data", ignore=shutil.ignore_patterns("*.npz"))
        shutil.copy(PROJECT / "domain.yml", self.folder)


class Stock(RasaServers):
    name = "stock"
    rasa = STOCK / ".venv" / "bin" / "rasa"
    action_server: ClassVar[list[str | Path]] = [rasa, "run", "actions"]

    def __init__(self, epochs: int = EPOCHS) -> None:
        self._epochs = epochs
        self.folder = WORK / (self.name if epochs == EPOCHS else f"{self.name}-{epochs}-epochs")
        self.model = self.folder / "models" / "stock.tar.gz"

    def set_up(self) -> None:
        uv = shutil.which("uv") or PROJECT / ".tools" / "bin" / "uv"
        command = [uv, "sync", "--frozen", "--project", STOCK, "--python", sys.executable]
        run_logged(command, inherited(), PROJECT, WORK / "uv.log")

    def trained(self) -> Training | None:
        return _remembered(self.folder) if self.model.exists() else None

    def train(self, nice: int, *, warm: bool = False) -> Training:
        """From a copy of data/ and domain.yml, without anything of Rasa's cache, warm or not."""
        self._lay_out()
        config = yaml.safe_load((STOCK / "config.yml").read_text(encoding="utf-8"))
        for component in [*config["pipeline"], *config["policies"]]:
            if "epochs" in component:
                component["epochs"] = self._epochs
        (self.folder / "config.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        command: list[str | Path] = [self.rasa, "train", "--out", "models", "--fixed-model-name", "stock"]
        training = timed_training(command, self.environment(), self.folder, self.folder / "train.log", nice)
        return _remember(self.folder, replace(training, epochs=self._epochs))

    def understand(self, texts: list[str]) -> list[float]:
        command: list[str | Path] = [STOCK / ".venv" / "bin" / "python", STOCK / "parse.py", self.model]
        return timed_parsing(command, self.environment(), self.folder, texts)

    def environment(self) -> dict[str, str]:
        return {
            **inherited(),
            "PYTHONPATH": str(STOCK),
            "SANIC_HOST": "127.0.0.1",
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "RASA_CACHE_DIRECTORY": str(self.folder / "cache"),
        }


class Pipeline(RasaServers):
    """Our model on Rasa's own server: what the pipeline alone brings."""

    name = "pipeline"
    folder = WORK / name
    rasa = Path(sys.executable).with_name("rasa")
    action_server: ClassVar[list[str | Path]] = [STOCK / ".venv" / "bin" / "python", "-m", "rasa_sdk"]
    """Without Rasa, which it does not need."""

    def __init__(self, own: Own) -> None:
        self._own = own

    def set_up(self) -> None:
        """This very environment, and stock's for the action server."""
        Stock().set_up()

    def trained(self) -> Training | None:
        training = self._own.trained()
        if training:
            self._lay_out()
            self.model = self.folder / self._own.model.name
            shutil.copy(self._own.model, self.model)
        return training

    def train(self, nice: int, *, warm: bool = False) -> Training:
        """Nothing is learned: the model is ours, trained before."""
        training = self.trained()
        assert training, "Sapa Setneg is measured first"
        return training

    def understand(self, texts: list[str]) -> list[float]:
        return self._own.understand(texts)

    def environment(self) -> dict[str, str]:
        """Actions are found in the stock folder first, components of the pipeline in the project."""
        return {**self._own.environment(), "PYTHONPATH": f"{STOCK}{os.pathsep}{PROJECT}", "SANIC_HOST": "127.0.0.1"}


class Own:
    name = "sapa"

    def __init__(self) -> None:
        self.folder = WORK / self.name
        self._sapa = Path(sys.executable).with_name("sapa")

    @property
    def model(self) -> Path:
        return self.folder / "models" / f"sapa-{fingerprint()}.tar.gz"

    def set_up(self) -> None:
        """This very environment is the one that is measured."""

    def trained(self) -> Training | None:
        return _remembered(self.folder) if self.model.exists() else None

    def train(self, nice: int, *, warm: bool = False) -> Training:
        """With nothing of Rasa's cache, and unless `warm` with no sentence encoded before."""
        cache = self.folder / "var" / "cache"
        warm = warm and cache.exists()
        for folder in ("models", "cache", *([] if warm else ["var"])):
            shutil.rmtree(self.folder / folder, ignore_errors=True)
        command: list[str | Path] = [self._sapa, "train", "--force"]
        log = self.folder / "train.log"
        training = timed_training(command, self.environment(), self._start_folder(), log, nice)
        return _remember(self.folder, replace(training, warm=warm))

    def servers(self) -> tuple[list[Server], Channel]:
        for left in self._database_files():
            left.unlink()
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        variables = {**self.environment(), "HOST": "127.0.0.1", "PORT": str(port)}
        log = self.folder / "serve.log"
        return [Server([self._sapa, "serve"], variables, self._start_folder(), f"{url}/readyz", log)], OwnChannel(url)

    def disk_bytes(self) -> int:
        return sum(_size(path) for path in self._database_files())

    def _database_files(self) -> list[Path]:
        return list((self.folder / "var").glob("sapa.db*"))

    def understand(self, texts: list[str]) -> list[float]:
        command: list[str | Path] = [sys.executable, "-m", "bench.understand"]
        return timed_parsing(command, self.environment(), self._start_folder(), texts)

    def encode_anew(self) -> dict[str, float]:
        """What the vectors of all sentences cost, which a second training finds in the cache."""
        result = self.folder / "encoded.json"
        command: list[str | Path] = [sys.executable, "-m", "bench.encode", result]
        run_logged(command, self.environment(), self._start_folder(), self.folder / "encode.log")
        found: dict[str, float] = json.loads(result.read_text())
        return found

    def _start_folder(self) -> Path:
        """Away from the project, whose `.env` would be read."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder

    def environment(self) -> dict[str, str]:
        """Every setting at its default, whatever stands in the reader's shell, but folders of the bench's own."""
        return {
            **inherited(),
            "PYTHONPATH": str(PROJECT),
            "SAPA_ENV": "demo",
            "SAPA_ENCODER_THREADS": "1",
            "SAPA_DATA_DIR": str(self.folder / "var"),
            "SAPA_MODELS_DIR": str(self.folder / "models"),
            "RASA_CACHE_DIRECTORY": str(self.folder / "cache"),
        }


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _remember(folder: Path, training: Training) -> Training:
    (folder / "training.json").write_text(json.dumps(asdict(training), indent=1))
    return training


def _remembered(folder: Path) -> Training | None:
    file = folder / "training.json"
    known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return Training(**known) if known else None
