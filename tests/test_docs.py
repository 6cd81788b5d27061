"""Holds the documents complete and true: what the code offers is described, and what is described is there."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.routing import iter_route_contexts
from typer.main import get_command

from bot.assistant import Assistant
from bot.cli import app
from bot.server import create_app
from services.assembly import Services
from services.knowledge_files import TOPICS, read_entry
from services.settings import PROJECT, Settings
from services.simpel import Status
from services.tickets import State
from store.tables import TABLES

DOCS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "*/README.md", "*/*/README.md")
    for path in PROJECT.glob(pattern)
    if not path.relative_to(PROJECT).parts[0].startswith(".")
)
TRACKED = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout.splitlines()
FOLDERS = sorted(
    {"bot/nlu", "bot/channels", "data/nlu"}
    | {path.split("/")[0] for path in TRACKED if "/" in path and not path.startswith(".")}
    | {"/".join(path.split("/")[:2]) for path in TRACKED if path.startswith("tests/") and path.count("/") > 1}
)
ADR_PARTS = ("Context", "Decision", "Status", "Consequences")


def read(path: str) -> str:
    return (PROJECT / path).read_text(encoding="utf-8")


def first_cells(page: str) -> set[str]:
    """The code words in the first cells of a page's tables."""
    return {word for row in re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE) for word in re.findall(r"`([^`]+)`", row)}


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):.*## ", read("Makefile"), re.MULTILINE))


def setting_names() -> set[str]:
    return {str(field.alias) for field in Settings.model_fields.values()}


def test_every_setting_is_described_and_nothing_else_is() -> None:
    assert first_cells(read("docs/settings.md")) >= setting_names()
    assert {name for name in first_cells(read("docs/settings.md")) if name.isupper()} == setting_names()


def test_the_defaults_of_settings_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|", read("docs/settings.md"), re.MULTILINE)
    described = dict(rows)
    for field in Settings.model_fields.values():
        default = field.default
        if field.alias == "SAPA_KNOWLEDGE_DIR":
            expected = "`knowledge/` of the project"
        elif field.alias == "SAPA_CUT_OFF":
            expected = f"`{default:%H:%M}`"
        else:
            expected = "empty" if default in ("", None) else f"`{default}`"
        assert described[str(field.alias)].strip() == expected, field.alias


def test_every_make_target_is_in_the_readme_or_in_make_help() -> None:
    helped = subprocess.run(["make", "-s", "help"], cwd=PROJECT, capture_output=True, text=True, timeout=30, check=True).stdout
    listed = set(re.findall(r"^\s*make ([a-z-]+)", helped, re.MULTILINE)) | set(re.findall(r"`?make ([a-z-]+)", read("README.md")))
    assert make_targets() <= listed


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_make_target_that_a_page_names_is_in_the_makefile(path: Path) -> None:
    assert set(re.findall(r"`(?:[A-Z]+=\S+ )?make ([a-z-]+)", path.read_text(encoding="utf-8"))) <= make_targets()


def commands() -> set[str]:
    """Every `sapa …`, those of groups with their group: `keys rotate`."""
    top: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]  # a Typer application with several commands is a group
    return set(top) | {f"{name} {inner}" for name, group in top.items() for inner in getattr(group, "commands", {})}


def test_every_command_is_in_the_readme() -> None:
    for name in commands():
        assert re.search(rf"`sapa {name}[ `]", read("README.md")) or all(f"`{part}" in read("README.md") for part in name.split()), (
            name
        )


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_command_that_a_page_names_is_one(path: Path) -> None:
    groups = {name.split()[0] for name in commands() if " " in name}
    page = path.read_text(encoding="utf-8")
    for name, inner in re.findall(r"(?:^    |^|`|bin/)sapa ([a-z]+)(?: ([a-z][a-z-]+))?", page, re.MULTILINE):
        assert name in commands(), name
        assert name not in groups or not inner or f"{name} {inner}" in commands(), f"{name} {inner}"


def test_every_route_is_described_and_nothing_else_is(services: Services, assistant: Assistant) -> None:
    webhook: dict[str, Any] = {"TELEGRAM_BOT_TOKEN": "1:secret", "TELEGRAM_WEBHOOK_URL": "https://sapa.example.go.id/telegram/masuk"}
    settings = Settings(_env_file=None, SAPA_DATA_DIR=services.settings.data_dir, **webhook)
    served: dict[str, set[str]] = {}
    files: dict[str, set[str]] = {}
    for route in iter_route_contexts(create_app(replace(services, settings=settings), assistant).routes):
        if route.path:
            served.setdefault(route.path, set()).update(set(route.methods or ()) - {"HEAD"})
            module = route.endpoint.__module__
            files.setdefault(route.path, set()).add("FastAPI" if module.startswith("fastapi.") else f"{module.replace('.', '/')}.py")
    rows = re.findall(r"^\| `(/[^`]*)` \| ([A-Z, ]+) \| .* \| (.+) \|$", read("docs/routes.md"), re.MULTILINE)
    assert {path: set(methods.split(", ")) for path, methods, _ in rows} == served
    assert {path: {where.strip("`")} for path, _, where in rows} == files


def test_every_intent_has_a_label_at_the_desk_and_nothing_else_has() -> None:
    expected = set(yaml.safe_load(read("domain.yml"))["intents"])
    for language in ("id", "en"):
        assert set(yaml.safe_load(read(f"desk/texts/{language}/teach.yml"))["intents"]) == expected


def test_every_intent_is_in_the_table_and_no_other() -> None:
    assert first_cells(read("docs/intents.md")) == set(yaml.safe_load(read("domain.yml"))["intents"])


def test_every_sentence_and_action_of_the_table_is_in_the_domain() -> None:
    domain = yaml.safe_load(read("domain.yml"))
    known = set(domain["responses"]) | set(domain["actions"]) | set(domain["forms"])
    named = re.findall(r"`((?:utter|action)_\w+|\w+_form)`", read("docs/intents.md"))
    assert set(named) <= known


def test_every_topic_is_in_the_editors_guide() -> None:
    rows = first_cells(read("docs/knowledge.md"))
    assert set(TOPICS) <= rows
    assert {name for name in rows if name in {path.stem for path in PROJECT.glob("knowledge/*.md")}} <= set(TOPICS)


def test_the_example_of_the_editors_guide_is_a_valid_file(tmp_path: Path) -> None:
    match = re.search(r"`knowledge/(\w+\.md)`:\n\n```markdown\n(.*?)```", read("docs/knowledge.md"), re.DOTALL)
    assert match
    path = tmp_path / match[1]
    path.write_text(match[2], encoding="utf-8")
    assert "09.00" in read_entry(path).answers["id"]
    path.write_text(match[2].replace("known: true", "known: true\nconfirmed_on: 2026-12-01"), encoding="utf-8")
    assert "08.00" in read_entry(path).answers["id"]


def test_every_state_of_a_ticket_is_explained() -> None:
    for state in State:
        assert state in read("docs/glossary.md")
        assert f"`{state}`" in read("docs/architecture.md")
    named = re.search(r"States are (.+?)\n?\(`State`", read("docs/architecture.md"))
    assert named
    assert set(re.findall(r"`(\w+)`", named[1])) == set(State)


def test_the_simpel_interface_names_every_status_and_the_path_that_is_called() -> None:
    interface = yaml.safe_load(read("docs/simpel-openapi.yaml"))
    assert interface["openapi"].startswith("3.1")
    assert set(interface["paths"]["/v1/status"]["post"]["responses"]) == {"200", "401", "404", "5XX"}
    schemas = interface["components"]["schemas"]
    assert {one["const"] for one in schemas["Status"]["properties"]["status"]["oneOf"]} == set(Status)
    assert set(schemas["Status"]["required"]) == {"status", "changed_on"}
    assert set(schemas["Query"]["required"]) == {"number", "access_code"}


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
        assert (path.parent / target).exists(), target


def test_the_readme_is_short() -> None:
    assert len(read("README.md").splitlines()) < 150


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_says_in_ten_lines_what_lives_there(folder: str) -> None:
    page = read(f"{folder}/README.md")
    assert len(page.splitlines()) <= 10
    assert re.search(r"[Bb]egin with|begin there|Mulailah dari", page), "where to begin"
    assert re.search(r"Not here|Bukan di sini|Never|never learns", page), "what lives elsewhere"


def test_every_decision_has_its_four_parts() -> None:
    for path in (PROJECT / "docs" / "adr").glob("*.md"):
        headings = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(ADR_PARTS) <= set(headings), path.name


def test_the_release_is_in_the_changelog() -> None:
    version = re.search(r'^version = "(.+)"$', read("pyproject.toml"), re.MULTILINE)
    assert version
    assert f"## [{version[1]}]" in read("CHANGELOG.md")


def test_every_table_is_in_the_architecture_and_no_other() -> None:
    page = read("docs/architecture.md")
    rows = re.findall(r"^\| (`[^|]+) \|", page[page.index("## Where data lies") :], re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`(\w+)`", row)}
    assert named - {"message_words"} == set(TABLES.tables) - {"alembic_version"}


def test_what_a_diagram_of_the_architecture_names_in_a_file_stands_there() -> None:
    """The word behind a file is a function or class of it: `services/tickets.py file`, `desk/access.py may(Permission)`."""
    page = read("docs/architecture.md")
    named = [
        (file, name)
        for diagram in re.findall(r"```mermaid\n(.*?)```", page, re.DOTALL)
        for file, names in re.findall(r"\b((?:bot|actions|desk|services|store)/[\w/]+\.py) (\w[\w.]*(?:, \w+)*)", diagram)
        for name in re.split(r", |\.", names)
    ]
    assert len(named) > 30
    for file, name in named:
        assert re.search(rf"(?:^|\s)(?:def|class) {name}\b|^{name}\b", read(file), re.MULTILINE), f"{file} {name}"


def test_every_file_that_the_architecture_names_exists() -> None:
    for name in re.findall(r"\b(?:bot|actions|desk|services|store|tests)/[\w/]+\.py\b", read("docs/architecture.md")):
        assert (PROJECT / name).is_file(), name
