"""The files in deploy/ are what nginx, systemd and Kubernetes take, and name settings that there are."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from services.network_addresses import network_of
from services.settings import PROJECT, Settings
from tests.scale.machines import Process, free_port, wait_for
from tests.scale.programs import program

pytestmark = pytest.mark.scale
DEPLOY = PROJECT / "deploy"
KUBERNETES = "1.37"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
ONE_LINE = [
    ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
    ("2001:db8:1:2::5", "2001:db8:1:2:a:b:c:d", "2001:db8:1:3::5"),
    ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"),
    ("2001:db8::1:2:3:4", "2001:db8::9", "2001:db9::1:2:3:4"),
    ("2001:0:0:1:2:3:4:5", "2001:0:0:1:2:3:4:6", "2002:0:0:1:2:3:4:5"),
    ("::1", "::1", "2001::1"),
]
"""An address, one of the same line, and one of another."""


def run(*command: str | Path) -> str:
    """What the command said; it has to end well."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    certificate, key = tmp_path / "fullchain.pem", tmp_path / "privkey.pem"
    subject = ["-subj", "/CN=sapa.example.go.id", "-days", "2"]
    run(program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, *subject)
    site = (DEPLOY / "nginx" / "sapa.conf").read_text().replace("/etc/letsencrypt/live/sapa.example.go.id", str(tmp_path))
    site = site.replace("/etc/nginx/sapa-proxy.conf", str(DEPLOY / "nginx" / "proxy.conf"))
    (tmp_path / "sapa.conf").write_text(site)
    main = tmp_path / "nginx.conf"
    main.write_text(f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; include {tmp_path}/sapa.conf; }}")
    assert "test is successful" in run(program("nginx"), "-p", tmp_path, "-e", "stderr", "-t", "-c", main)


def test_all_addresses_of_one_line_are_one_visitor_to_nginx(tmp_path: Path) -> None:
    site = (DEPLOY / "nginx" / "sapa.conf").read_text()
    assert set(re.findall(r"zone (\S+) zone=", site)) == {"$sapa_line"}
    (lines,) = re.findall(r"^map \$remote_addr .*?^}$", site, re.DOTALL | re.MULTILINE)
    port, folders = free_port(), " ".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in TEMPORARY)
    (tmp_path / "nginx.conf").write_text(f"""
daemon off; master_process off; pid nginx.pid; error_log stderr; events {{}}
http {{
  access_log off; {folders}
  {lines}
  server {{ listen 127.0.0.1:{port}; set_real_ip_from 127.0.0.1; location / {{ return 200 $sapa_line; }} }}
}}""")
    nginx = Process([program("nginx"), "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")], tmp_path / "log")
    nginx.start()

    def line_of(address: str) -> str:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/", headers={"X-Real-IP": address}, timeout=5).text
        except httpx.ConnectError:
            return ""

    try:
        wait_for("nginx", lambda: line_of("192.0.2.1") != "", 10)
        for one, same, other in ONE_LINE:
            assert line_of(one) == line_of(same) != "", one
            assert line_of(one) != line_of(other), one
            assert (network_of(one) == network_of(same), network_of(one) == network_of(other)) == (True, False), (
                "as the program has it"
            )
    finally:
        nginx.stop()


def test_the_limit_of_a_proxy_lets_through_what_the_program_takes() -> None:
    largest = Settings.model_fields["file_megabytes"].default + 1
    for path in ("nginx/sapa.conf", "caddy/Caddyfile", "kubernetes/sapa.yml"):
        assert re.search(rf"\b{largest}(m|MB)\b", (DEPLOY / path).read_text()), path


def test_systemd_takes_the_units_and_finds_them_closed(tmp_path: Path) -> None:
    for unit in (DEPLOY / "systemd").iterdir():
        text = unit.read_text().replace("/opt/sapa/.venv/bin/sapa", "/usr/bin/true")
        (tmp_path / unit.name.replace("@", "@8081")).write_text(text)
    units = sorted(path for path in tmp_path.iterdir() if path.suffix == ".service")
    analyze = program("systemd-analyze")
    run(analyze, "verify", "--man=no", *sorted(tmp_path.iterdir()))
    for unit in units:
        exposure = re.search(r"level for \S+: ([\d.]+)", run(analyze, "security", "--offline=true", "--no-pager", unit))
        assert exposure
        assert float(exposure[1]) < 4, f"{unit.name}: {exposure[1]}"


def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / "sapa.yml").read_text()))


@pytest.mark.parametrize("manifest", manifests(), ids=lambda one: f"{one['kind']}/{one['metadata']['name']}")
def test_kubernetes_takes_each_manifest(manifest: dict[str, Any]) -> None:
    import kubernetes_validate  # `make test-scale` installs it, and `make test` reads this file too

    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def ingresses() -> list[dict[str, Any]]:
    return [one for one in manifests() if one["kind"] == "Ingress"]


def nginx_locations() -> dict[str, str]:
    """What stands in each location of the server for TLS, by the words of the location; the server's own under an empty name."""
    server = (DEPLOY / "nginx" / "sapa.conf").read_text().split("\nserver {")[-1]
    found = dict(re.findall(r"^    location (.*?) \{\n(.*?)^    \}", server, re.MULTILINE | re.DOTALL))
    return found | {"": re.sub(r"^    location .*?^    \}", "", server, flags=re.MULTILINE | re.DOTALL)}


def test_of_all_posts_only_a_message_is_sent_to_a_second_process() -> None:
    assert "non_idempotent" not in (DEPLOY / "nginx" / "proxy.conf").read_text()
    again = [location for location, content in nginx_locations().items() if "non_idempotent" in content]
    assert again == ["= /api/chat/messages"]
    again = [
        (path["path"], path["pathType"])
        for ingress in ingresses()
        if "non_idempotent" in ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-next-upstream"]
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    ]
    assert again == [("/api/chat/messages", "Exact")]


def test_visitors_behind_one_address_may_each_hold_a_stream_of_events() -> None:
    limits = {location: re.findall(r"limit_conn (\w+) (\d+);", content) for location, content in nginx_locations().items()}
    streams = next(location for location in limits if "events" in location)
    assert limits[""] == []
    assert limits["/"] == [("sapa_connections", "40")]
    ((zone, most),) = limits[streams]
    assert zone not in str([limit for location, limit in limits.items() if location != streams])
    assert int(most) >= 300


def test_no_proxy_keeps_addresses() -> None:
    site = (DEPLOY / "nginx" / "sapa.conf").read_text()
    assert site.count("access_log off;") == site.count("\nserver {")
    for ingress in ingresses():
        assert ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/enable-access-log"] == "false"


def test_the_autoscaler_alone_says_how_many_pods_there_are() -> None:
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in manifests() if one["kind"] == "HorizontalPodAutoscaler"}
    assert scaled == {"sapa"}
    assert not [one for one in manifests() if one["kind"] == "Deployment" and "replicas" in one["spec"]]


def test_a_pod_makes_a_backup_every_night_and_gets_no_requests() -> None:
    (job,) = (one for one in manifests() if one["kind"] == "CronJob")
    pod = job["spec"]["jobTemplate"]["spec"]["template"]
    assert "sapa backup" in pod["spec"]["containers"][0]["command"][-1]
    (service,) = (one for one in manifests() if one["kind"] == "Service")
    assert not service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()


def test_redis_begins_as_its_own_user_for_without_capabilities_it_can_not_become_it() -> None:
    redis = yaml.safe_load((DEPLOY / "compose.yml").read_text())["services"]["redis"]
    assert redis["cap_drop"] == ["ALL"]
    assert redis["user"] == "999:999"


def test_the_image_is_made_with_the_uv_of_the_makefile_and_holds_no_keys() -> None:
    version = re.search(r"^UV_VERSION := (\S+)", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert version
    assert f"uv=={version[1]}" in (DEPLOY / "Containerfile").read_text()
    assert {"var", ".git", "models", "**/.env"} <= set((PROJECT / ".dockerignore").read_text().split())


def test_every_setting_that_deploy_names_is_one() -> None:
    known = {str(field.alias) for field in Settings.model_fields.values()}
    known |= {"SAPA_HOST"}  # of compose.yml itself
    named = {
        name
        for path in DEPLOY.rglob("*")
        if path.is_file() and path.suffix != ".py"
        for name in re.findall(r"\b(SAPA_[A-Z_]+|DATABASE_URL|REDIS_URL)\b", path.read_text())
    }
    assert named <= known
    services = yaml.safe_load((DEPLOY / "compose.yml").read_text())["services"]
    assert set(services) == {"app", "postgres", "redis", "caddy"}
