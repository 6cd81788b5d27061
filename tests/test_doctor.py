from pathlib import Path

import pytest
import typer

from bot.cli import doctor
from services import assembly
from services.settings import Settings


def test_doctor_names_the_line_of_the_service_hours_that_is_wrong(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "service_hours.yml").write_text("senin: [9-12]\n")
    monkeypatch.setattr(assembly, "settings", lambda: settings)
    monkeypatch.setattr(assembly, "_in_use", [])
    with pytest.raises(typer.Exit):
        doctor()
    assert "service hours: service_hours.yml: senin: '9-12' is no span of time" in capsys.readouterr().out
