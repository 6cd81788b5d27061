"""Holds the documents complete and true: what the code offers is described, and what is described is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from bot.cli import app
from services.knowledge_files import TOPICS, read_entry
from services.settings import PROJECT, Settings
from services.simpel import Status
from services.tickets import State

DOCS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "*/README.md")
    for path in PROJECT.glob(pattern)
    if not path.relative_to(PROJECT).parts[0].startswith(".")
)
FOLDERS = "bot actions services store data knowledge evaluation tests".split()
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
            expected = f"`{default}`" if str(default) else "empty"
        assert described[str(field.alias)].strip() == expected, field.alias


def test_every_make_target_is_in_the_readme_or_in_make_help() -> None:
    helped = subprocess.run(["make", "-s", "help"], cwd=PROJECT, capture_output=True, text=True, timeout=30, check=True).stdout
    listed = set(re.findall(r"^\s*make ([a-z-]+)", helped, re.MULTILINE)) | set(re.findall(r"`?make ([a-z-]+)", read("README.md")))
    assert make_targets() <= listed


@pytest.mark.parametrize("path", ["README.md", "docs/intents.md", "data/README.md", "tests/README.md", "docs/architecture.md"])
def test_every_make_target_that_a_page_names_is_in_the_makefile(path: str) -> None:
    assert set(re.findall(r"`(?:[A-Z]+=\S+ )?make ([a-z-]+)", read(path))) <= make_targets()


def test_every_command_is_in_the_readme() -> None:
    for name in get_command(app).commands:  # type: ignore[attr-defined]  # a Typer application with several commands is a group
        assert f"`sapa {name}`" in read("README.md"), name


def test_every_intent_is_in_the_table_and_no_other() -> None:
    assert first_cells(read("docs/intents.md")) == set(yaml.safe_load(read("domain.yml"))["intents"])


def test_every_sentence_and_action_of_the_table_is_in_the_domain() -> None:
    domain = yaml.safe_load(read("domain.yml"))
    known = set(domain["responses"]) | set(domain["actions"]) | set(domain["forms"])
    named = re.findall(r"`((?:utter|action)_\w+|\w+_form)`", read("docs/intents.md"))
    assert set(named) <= known


def test_every_topic_is_in_the_editors_guide() -> None:
    assert set(TOPICS) <= first_cells(read("docs/knowledge.md"))


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
        assert state in read("docs/architecture.md")


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
    assert 1 <= len(read(f"{folder}/README.md").splitlines()) <= 10


def test_every_decision_has_its_four_parts() -> None:
    for path in (PROJECT / "docs" / "adr").glob("*.md"):
        headings = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(ADR_PARTS) <= set(headings), path.name


def test_the_release_is_in_the_changelog() -> None:
    version = re.search(r'^version = "(.+)"$', read("pyproject.toml"), re.MULTILINE)
    assert version
    assert f"## [{version[1]}]" in read("CHANGELOG.md")


def test_every_file_that_the_architecture_names_exists() -> None:
    for name in re.findall(r"\b(?:bot|actions|services|store)/[\w/]+\.py\b", read("docs/architecture.md")):
        assert (PROJECT / name).is_file(), name
