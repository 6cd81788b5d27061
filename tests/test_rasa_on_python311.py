"""Holds docs/adr/0001: Rasa 3.6.21 works on this Python with these versions, shim by shim and as a whole."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

CURSOR_QUESTION = b"\x1b[6n"
PROJECT = Path(__file__).resolve().parent.parent
RASA = str(Path(sys.executable).with_name("rasa"))
SMALL_NLU = """version: "3.1"
nlu:
- intent: greet
  examples: |
    - halo
    - selamat pagi
    - assalamualaikum
    - hai min
- intent: goodbye
  examples: |
    - dadah
    - sampai jumpa
    - pamit dulu ya
    - bye
- intent: thank
  examples: |
    - terima kasih
    - makasih banyak
    - nuhun
    - thanks
"""
SMALL_DOMAIN = """version: "3.1"
intents: [greet, goodbye, thank]
responses:
  utter_greet:
  - text: Halo juga
  utter_goodbye:
  - text: Sampai jumpa
  utter_thank:
  - text: Sama-sama
"""
SMALL_RULES = """version: "3.1"
rules:
- rule: greet
  steps: [{intent: greet}, {action: utter_greet}]
- rule: goodbye
  steps: [{intent: goodbye}, {action: utter_goodbye}]
- rule: thank
  steps: [{intent: thank}, {action: utter_thank}]
"""
LIGHT_STOCK = """recipe: default.v1
assistant_id: small
language: id
pipeline:
- name: WhitespaceTokenizer
- name: RegexFeaturizer
- name: LexicalSyntacticFeaturizer
- name: CountVectorsFeaturizer
- name: CountVectorsFeaturizer
  analyzer: char_wb
  min_ngram: 1
  max_ngram: 4
- name: LogisticRegressionClassifier
- name: CRFEntityExtractor
- name: EntitySynonymMapper
- name: FallbackClassifier
  threshold: 0.3
policies:
- name: MemoizationPolicy
- name: RulePolicy
"""
OURS = LIGHT_STOCK.split("pipeline:")[0] + (
    "pipeline:\n- name: bot.nlu.normaliser.Normaliser\n- name: bot.nlu.intents.IntentClassifier\n  held_out: 0.25\n"
    "- name: bot.nlu.entities.EntityExtractor\npolicies:" + LIGHT_STOCK.split("policies:")[1]
)
IN_FRESH_INTERPRETER = {
    "an absent package imports as a placeholder": "import tensorflow as tf; class_ = type('X', (tf.keras.Model,), {})",
    "a placeholder decorates": "import tensorflow as tf\n@tf.function\ndef f(): return 1\nassert f() == 1",
    "a placeholder's error can be caught": "from pymongo.errors import BSONError\ntry: raise BSONError\nexcept BSONError: pass",
    "an installed package wins": "import networkx; assert networkx.__file__",
    "LegacyVersion can be asked for": (
        "from packaging.version import LegacyVersion, Version; assert not isinstance(Version('1'), LegacyVersion)"
    ),
    "only light components are listed": (
        "from rasa.engine.recipes.default_components import DEFAULT_COMPONENTS as C; assert len(C) == 15"
    ),
    "Sanic runs in one process": "from sanic import Sanic; assert Sanic.run.__name__ == 'run_in_one_process'",
    "telemetry is off": "import os; assert os.environ['RASA_TELEMETRY_ENABLED'] == 'false'",
    "no TensorFlow is loaded": "import rasa.core.agent, sys; assert not hasattr(sys.modules.get('tensorflow'), '__file__')",
    "what needs TensorFlow is a placeholder": (
        "from rasa.utils.tensorflow.model_data import RasaModelData, Data\n"
        "try: RasaModelData()\nexcept ImportError: pass\nelse: exit(1)"
    ),
    "no scikit-learn is loaded": "import bot.assistant, bot.server, bot.nlu.intents, sys; assert 'sklearn' not in sys.modules",
}


@pytest.mark.parametrize("name", IN_FRESH_INTERPRETER)
def test_shim(name: str) -> None:
    code = f"import rasa\n{IN_FRESH_INTERPRETER[name]}"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_placeholder_that_is_used_says_why_it_is_none() -> None:
    code = "import rasa, twilio.rest\ntwilio.rest.Client('a', 'b')"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60)
    assert "Sapa Setneg runs Rasa without it" in done.stderr


def test_an_interpreter_that_never_imports_rasa_gets_no_placeholders() -> None:
    done = subprocess.run([sys.executable, "-c", "import tensorflow"], capture_output=True, text=True, timeout=60)
    assert "ModuleNotFoundError" in done.stderr


def rasa(folder: Path, *arguments: str) -> str:
    done = subprocess.run([RASA, *arguments], cwd=folder, capture_output=True, text=True, timeout=280, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.mark.scale
@pytest.mark.parametrize("recipe", [LIGHT_STOCK, OURS], ids=["light parts of the stock recipe", "our recipe"])
def test_a_small_assistant_trains_and_understands(tmp_path: Path, recipe: str) -> None:
    (tmp_path / "config.yml").write_text(recipe)
    (tmp_path / "domain.yml").write_text(SMALL_DOMAIN)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "nlu.yml").write_text(SMALL_NLU)
    (tmp_path / "data" / "rules.yml").write_text(SMALL_RULES)
    rasa(tmp_path, "train")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_stories.yml").write_text(
        'version: "3.1"\nstories:\n- story: s\n  steps:\n  - user: halo\n    intent: greet\n  - action: utter_greet\n'
    )
    rasa(tmp_path, "test", "core", "--stories", "tests", "--fail-on-prediction-errors", "--no-plot")
    rasa(tmp_path, "test", "nlu", "--nlu", "data/nlu.yml", "--no-plot")
    report = json.loads((tmp_path / "results" / "intent_report.json").read_text())
    assert report["accuracy"] == 1.0


def test_the_projects_files_pass_rasas_own_validation() -> None:
    out = rasa(PROJECT, "data", "validate", "--max-history", "3")
    assert "No story structure conflicts found" in out


@contextmanager
def running(*command: str, folder: Path, port: int, path: str) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}{path}", timeout=2).raise_for_status()
                break
            except httpx.HTTPError:
                assert process.poll() is None, f"{command} ended"
                assert time.monotonic() < deadline, f"{command} did not answer"
                time.sleep(0.3)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.scale
def test_rasa_run_with_its_action_server_and_rasa_shell_work_on_the_same_files(tmp_path: Path) -> None:
    model = str(max((PROJECT / "models").glob("sapa-*.tar.gz"), key=lambda path: path.stat().st_mtime))
    actions_port, port = free_port(), free_port()
    endpoints = tmp_path / "endpoints.yml"
    endpoints.write_text((PROJECT / "endpoints.yml").read_text().replace("5055", str(actions_port)))
    actions = (RASA, "run", "actions", "--port", str(actions_port))
    server = (RASA, "run", "-m", model, "--endpoints", str(endpoints), "--credentials", "credentials.yml", "-p", str(port))
    with (
        running(*actions, folder=PROJECT, port=actions_port, path="/health"),
        running(*server, folder=PROJECT, port=port, path="/"),
    ):
        url = f"http://127.0.0.1:{port}/webhooks/rest/webhook"
        answer = httpx.post(url, json={"sender": "a", "message": "apa itu simpel?"}, timeout=30)
        assert answer.status_code == 200, answer.text
        assert "Perjalanan Dinas Luar Negeri" in " ".join(message.get("text", "") for message in answer.json())
        assert "bukan manusia" in talk_in_shell(model, "kamu robot atau manusia?")


def talk_in_shell(model: str, message: str) -> str:
    """What `rasa shell` shows on a terminal after one message."""
    ours, theirs = pty.openpty()
    command = [RASA, "shell", "-m", model, "-p", str(free_port())]
    process = subprocess.Popen(command, cwd=PROJECT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    shown = b""

    def read_until(part: bytes) -> None:
        nonlocal shown
        deadline = time.monotonic() + 90
        while part not in shown:
            assert time.monotonic() < deadline, shown[-2000:].decode(errors="replace")
            if select.select([ours], [], [], 0.5)[0]:
                shown += os.read(ours, 65536)
                if shown.endswith(CURSOR_QUESTION):
                    os.write(ours, b"\x1b[1;1R")

    try:
        read_until(b"Your input")
        os.write(ours, message.encode() + b"\r")
        read_until(b"bukan manusia")
        return shown.decode(errors="replace")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


def test_the_rasa_command_is_where_a_developer_looks_for_it() -> None:
    assert shutil.which(RASA)
