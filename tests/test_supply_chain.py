"""The audit that says nothing was found only where somebody was asked, accepted findings that run out, and the container's recipe."""

from __future__ import annotations

import re
import tomllib
from datetime import date

import pytest
import yaml

from deploy.audit import bad_licences, requirements, unaccepted
from services.settings import PROJECT

ACCEPTED = yaml.safe_load((PROJECT / "deploy/accepted_findings.yml").read_text(encoding="utf-8"))
FAULT = {"name": "jsonpickle", "version": "4.0", "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-2020-22083"]}]}


def test_an_accepted_finding_passes_until_its_day_and_no_longer() -> None:
    until = ACCEPTED["vulnerabilities"][0]["until"]
    assert unaccepted([FAULT], ACCEPTED["vulnerabilities"], until) == []
    assert unaccepted([FAULT], ACCEPTED["vulnerabilities"], date(until.year + 1, 1, 1)) != []
    assert unaccepted([FAULT | {"name": "jinja2"}], ACCEPTED["vulnerabilities"], until) == ["jinja2 4.0: PYSEC-1 CVE-2020-22083"]


@pytest.mark.parametrize("finding", [*ACCEPTED["vulnerabilities"], *ACCEPTED["licences"]], ids=lambda one: one["package"])
def test_every_accepted_finding_says_why_and_when(finding: dict) -> None:
    assert len(finding["reason"]) > 40
    assert finding["accepted"] >= date(2026, 11, 1)


def test_a_licence_that_a_government_cannot_pass_on_is_found() -> None:
    licences = {
        "a": "MIT",
        "b": "GPL-3.0-only",
        "c": "LGPLv3",
        "d": "",
        "e": "Proprietary",
        "f": "AGPL-3.0",
        "g": "Apache-2.0 OR GPL-2.0",
    }
    assert bad_licences(licences) == ["b: GPL-3.0-only", "d: none stated", "e: Proprietary", "f: AGPL-3.0"]


def test_requirements_are_read_with_their_versions() -> None:
    assert requirements("jinja2==3.1.6 \\\n    --hash=sha256:ab\nrasa==3.6.21\n    # via x\n") == {"jinja2": "3.1.6", "rasa": "3.6.21"}


def test_every_locked_file_has_its_hash() -> None:
    lock = tomllib.loads((PROJECT / "uv.lock").read_text(encoding="utf-8"))
    for package in lock["package"]:
        files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        assert files or "editable" in package["source"], package["name"]
        assert all(file["hash"].startswith("sha256:") for file in files), package["name"]


def test_the_container_runs_as_nobodys_user_from_a_pinned_base() -> None:
    recipe = (PROJECT / "deploy/Containerfile").read_text(encoding="utf-8")
    for base in re.findall(r"^FROM (\S+)", recipe, re.MULTILINE):
        assert re.search(r":3\.11\.\d+-\w+-\w+$|@sha256:", base), base
    assert re.search(r"^USER 10001:10001$", recipe, re.MULTILINE)
    assert "SAPA_ENV=production" in recipe
    assert "--read-only" in recipe
    assert "uv sync --frozen" in recipe
    compose = yaml.safe_load((PROJECT / "deploy/compose.yml").read_text(encoding="utf-8"))
    major = compose["services"]["postgres"]["image"].removeprefix("postgres:").split("-")[0]
    assert f" postgresql-client-{major} " in recipe  # without it `sapa backup` refuses
    assert "var" in (PROJECT / ".dockerignore").read_text().split()


def test_every_control_of_the_threat_model_names_tests_that_are_there() -> None:
    rows = re.findall(r"^\| \d .*$", (PROJECT / "docs/security/threat-model.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"`(tests/[\w/.]+)`", row.rsplit("|", 2)[1])
        assert named, row
        assert all((PROJECT / path).exists() for path in named), row
