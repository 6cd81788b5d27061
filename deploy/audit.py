"""Audits what production installs: known vulnerabilities by pip-audit, and licences. `make audit` runs it.

Ends with 1 for a finding that nobody has accepted or a licence that a government can't pass on, and with 3 where no advisory
service could be asked: pip-audit itself then says "No known vulnerabilities found".
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
ACCEPTED = HERE / "accepted_findings.yml"
FREE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software|Python-2|MPL|Mozilla|LGPL|Lesser General|Unlicense|Zlib|HPND|CC0|CNRI|ZPL",
    re.I,
)
STRONG = re.compile(r"\b(?:A?GPL|Affero|SSPL|BUSL|Commons Clause|Proprietary)\b", re.I)


def requirements(text: str) -> dict[str, str]:
    """Names and versions of `uv export --format requirements.txt`."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE))


def unaccepted(findings: list[dict[str, Any]], accepted: list[dict[str, Any]], today: date) -> list[str]:
    """Findings that nobody has accepted, or whose acceptance has run out."""
    valid = {(one["package"], identity) for one in accepted if one["until"] >= today for identity in one["ids"]}
    return [
        f"{package['name']} {package['version']}: {fault['id']} {' '.join(fault.get('aliases', []))}"
        for package in findings
        for fault in package.get("vulns", [])
        if not any((package["name"], identity) in valid for identity in (fault["id"], *fault.get("aliases", [])))
    ]


def licence_of(name: str) -> str:
    found = metadata.metadata(name)
    classifiers = [c.rsplit("::", 1)[-1].strip() for c in found.get_all("Classifier") or [] if c.startswith("License ::")]
    return " / ".join(filter(None, [found.get("License-Expression"), *classifiers, (found.get("License") or "")[:60]]))


def bad_licences(licences: dict[str, str]) -> list[str]:
    return [f"{name}: {text or 'none stated'}" for name, text in sorted(licences.items()) if not FREE.search(STRONG.sub("", text))]


def main(requirements_file: str) -> int:
    packages = requirements(Path(requirements_file).read_text())
    accepted = yaml.safe_load(ACCEPTED.read_text(encoding="utf-8"))
    options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "20", "--format", "json"]
    command = ["pip-audit", "-r", requirements_file, *options]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 the program and its options are ours
    findings = json.loads(asked.stdout)["dependencies"] if asked.stdout.strip() else []
    audited = [one for one in findings if "skip_reason" not in one]
    installed = {one.metadata["Name"].lower().replace("_", "-").replace(".", "-") for one in metadata.distributions()}
    names = [name for name in packages if name.lower() in installed]
    problems = [f"vulnerability: {line}" for line in unaccepted(audited, accepted["vulnerabilities"], date.today())]
    allowed = {one["package"] for one in accepted["licences"]}
    problems += [f"licence: {line}" for line in bad_licences({n: licence_of(n) for n in names if n not in allowed})]
    print("\n".join(problems))
    print(f"{len(packages)} packages: {len(audited)} asked after, licences of {len(names)} read, {len(problems)} problems")
    if left := len(packages) - len(audited):
        print(f"NOT AUDITED: of {left} packages no advisory service would say anything. Run this where pypi.org can be reached.")
    return 1 if problems else 3 if len(audited) < len(packages) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
