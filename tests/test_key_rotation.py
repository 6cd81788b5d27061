"""Keys change under running work: nothing is lost, and an old key goes only when nothing needs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import func, select, update
from typer.testing import CliRunner

from bot.channels.web import Sessions
from bot.cli import app
from services.assembly import Services, assemble, use
from services.audit import AuditFilter
from services.key_rotation import KeyRotation, KeysStillNeeded
from services.knowledge import Knowledge
from services.permissions import Role
from services.settings import Settings
from services.tickets import Filing, Kind
from store import sealed_values
from store.encryption import Encryption, KeyFile, open_encryption
from store.models import Draft
from store.sealed_values import sealed_columns
from store.ticket_models import Ticket
from tests.test_postgresql import database_url  # noqa: F401 a fixture

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.scale)])
def kept(request: pytest.FixtureRequest, tmp_path: Path, knowledge: Knowledge) -> Iterator[Services]:
    """Services whose database holds a value of every sealed kind that a test can file."""
    url = request.getfixturevalue("database_url") if request.param == "postgresql" else ""
    settings = Settings(_env_file=None, SAPA_DATA_DIR=tmp_path, DATABASE_URL=url)
    services = assemble(settings, knowledge)
    use(services)
    conversation = services.conversations.open("telegram", "id", "4711")
    services.drafts.write(conversation.id, "aspiration", {"text": "rahasia"})
    for n in range(7):
        services.tickets.file(Filing(Kind.ASPIRATION, {"text": f"usul {n}"}, "umum", conversation.id, "id", f"kunci-{n}"), NOW)
    files = tmp_path / "files" / "is"
    files.mkdir(exist_ok=True, parents=True)
    (files / "isi").write_bytes(services.encryption.seal_bytes(b"lampiran"))
    yield services
    services.database.close()


def rotation_of(services: Services) -> KeyRotation:
    return KeyRotation(services.database, services.audit, services.settings.data_dir, services.settings.keys)


def texts(services: Services, encryption: Encryption) -> list[str]:
    with services.database.session() as session:
        return sorted(encryption.unseal(fields)["text"] for fields in session.scalars(select(Ticket.fields)))


def test_after_a_rotation_the_newest_key_alone_opens_everything(kept: Services) -> None:
    done = rotation_of(kept).rotate("konsol")
    assert done.unreadable == 0
    assert done.changed >= 10
    newest = Encryption([KeyFile(kept.settings.data_dir).read()[0]])
    assert texts(kept, newest) == [f"usul {n}" for n in range(7)]
    assert newest.unseal_bytes((kept.settings.data_dir / "files" / "is" / "isi").read_bytes()) == b"lampiran"
    assert kept.audit.first_broken() is None


def test_a_running_process_follows_the_new_key_and_writes_with_it(kept: Services) -> None:
    rotation_of(kept).rotate("konsol")
    assert texts(kept, kept.encryption) == [f"usul {n}" for n in range(7)]
    newest = Encryption([KeyFile(kept.settings.data_dir).read()[0]])
    assert newest.unseal(kept.encryption.seal("baru")) == "baru"


def test_a_rotation_that_was_stopped_goes_on_where_it_was(kept: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_values, "BATCH", 2)
    rotate_batch, calls = sealed_values._rotate_batch, 0

    def dies_in_the_middle(*given: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        rotate_batch(*given)

    monkeypatch.setattr(sealed_values, "_rotate_batch", dies_in_the_middle)
    with pytest.raises(KeyboardInterrupt):
        rotation_of(kept).rotate("konsol")
    keys = KeyFile(kept.settings.data_dir).read()
    assert texts(kept, kept.encryption) == [f"usul {n}" for n in range(7)], "readable in between"
    monkeypatch.setattr(sealed_values, "_rotate_batch", rotate_batch)
    rotation_of(kept).rotate("konsol")
    assert KeyFile(kept.settings.data_dir).read() == keys, "the unfinished change was finished; no further key"
    assert texts(kept, Encryption(keys[:1])) == [f"usul {n}" for n in range(7)]


def test_an_old_key_goes_only_when_nothing_needs_it(kept: Services) -> None:
    old = KeyFile(kept.settings.data_dir).read()
    rotation = rotation_of(kept)
    rotation.rotate("konsol")
    with kept.database.session() as session:
        number = session.scalars(select(Ticket.number).order_by(Ticket.id)).first()
        session.execute(update(Ticket).where(Ticket.number == number).values(fields=Encryption(old).seal({"text": "usul 0"})))
    with pytest.raises(KeysStillNeeded) as refused:
        rotation.drop("konsol")
    assert refused.value.values == 1
    assert len(KeyFile(kept.settings.data_dir).read()) == 2
    rotation.rotate("konsol")
    remaining = rotation.drop("konsol")
    assert remaining[1] == f"fingerprints:{old[0]}"
    after = open_encryption("", kept.settings.data_dir)
    with pytest.raises(InvalidToken):
        after.unseal(Encryption(old).seal("alt"))
    assert texts(kept, after) == [f"usul {n}" for n in range(7)]


def test_access_codes_and_telegram_addresses_outlive_every_change_of_keys(kept: Services) -> None:
    conversation = kept.conversations.open("telegram", "id", "4711")
    filed = kept.tickets.file(Filing(Kind.ASPIRATION, {"text": "akhir"}, "umum", conversation.id, "id", "kunci-akhir"), NOW)
    for _ in range(3):
        rotation_of(kept).rotate("konsol")
        rotation_of(kept).drop("konsol")
    later = assemble(kept.settings, kept.knowledge)
    found = later.tickets.find(filed.number, filed.access_code, "lain")
    assert found is not None
    assert later.conversations.open("telegram", "id", "4711").id == conversation.id
    assert later.conversations.address(conversation.id) == "4711"
    later.database.close()


def test_a_session_of_before_holds_after_a_rotation_and_ends_when_its_key_is_dropped(tmp_path: Path) -> None:
    first, second = (Fernet.generate_key().decode() for _ in range(2))
    token, _ = Sessions(Encryption([first]).signing_keys, 24).issue("percakapan")
    assert Sessions(Encryption([second, first]).signing_keys, 24).conversation_of(token) == "percakapan"
    dropped = Encryption([second, f"fingerprints:{first}"])
    assert Sessions(dropped.signing_keys, 24).conversation_of(token) is None
    newest = URLSafeTimedSerializer(Encryption([second]).signing_keys, salt="web-session")
    assert newest.loads(Sessions(Encryption([second, first]).signing_keys, 24).issue("baru")[0]) == "baru"


def test_keys_of_the_environment_are_used_and_never_written(kept: Services) -> None:
    old, new = KeyFile(kept.settings.data_dir).read()[0], Fernet.generate_key().decode()
    rotation = KeyRotation(kept.database, kept.audit, kept.settings.data_dir, f"{new},{old}")
    assert rotation.rotate("konsol").unreadable == 0
    assert KeyFile(kept.settings.data_dir).read() == [old]
    assert texts(kept, Encryption([new])) == [f"usul {n}" for n in range(7)]
    assert rotation.drop("konsol") == [new, f"fingerprints:{old}"]


def test_the_key_file_is_for_its_owner_only_before_and_after(kept: Services) -> None:
    rotation_of(kept).rotate("konsol")
    assert (kept.settings.data_dir / "keys.txt").stat().st_mode & 0o077 == 0


def test_a_value_that_no_key_opens_is_counted_and_left_as_it_is(kept: Services) -> None:
    strange = Encryption([Fernet.generate_key().decode()]).seal({"text": "asing"})
    with kept.database.session() as session:
        session.execute(update(Ticket).where(Ticket.id == 1).values(fields=strange))
    assert rotation_of(kept).rotate("konsol").unreadable == 1
    with kept.database.session() as session:
        assert session.scalar(select(Ticket.fields).where(Ticket.id == 1)) == strange
    with pytest.raises(KeysStillNeeded):
        rotation_of(kept).drop("konsol")


def test_where_keys_are_lost_for_good_what_none_opens_is_taken_out_and_the_rest_works_on(kept: Services) -> None:
    conversation = kept.conversations.open("telegram", "id", "4711")
    number = kept.tickets.file(Filing(Kind.ASPIRATION, {"text": "lama"}, "umum", conversation.id, "id", "kunci-lama"), NOW).number
    kept.staff.add("sari", "Sari", Role.OFFICER, "uji", "teh melati sore hari")
    kept.staff.change("sari", totp=kept.encryption.seal("rahasia"))
    KeyFile(kept.settings.data_dir).write([Fernet.generate_key().decode()])
    later = assemble(kept.settings, kept.knowledge)
    assert not later.operation.opens_what_is_there()
    new = later.tickets.file(Filing(Kind.ASPIRATION, {"text": "baru"}, "umum", conversation.id, "id", "kunci-baru"), NOW).number
    later.staff.add("budi", "Budi", Role.OFFICER, "uji", "teh melati sore hari")
    later.staff.change("budi", totp=later.encryption.seal("rahasia baru"))
    lost = rotation_of(later).give_up("konsol")
    assert lost >= 10
    assert rotation_of(later).give_up("konsol") == 0
    assert later.operation.opens_what_is_there()
    assert later.staff.get("sari").totp is None
    assert later.encryption.unseal(later.staff.get("budi").totp or b"") == "rahasia baru"
    assert [one.subject for one in later.audit.search(AuditFilter(action="staff.totp_stopped"))] == ["sari"]
    assert later.tickets.fields_of(number) == {}
    assert later.tickets.fields_of(new) == {"text": "baru"}
    assert later.drafts.kept(conversation.id, "aspiration") is None
    assert later.conversations.address(conversation.id) is None
    assert not (kept.settings.data_dir / "files" / "is" / "isi").exists()
    assert later.audit.first_broken() is None
    later.database.close()


def test_giving_up_asks_first(kept: Services) -> None:
    assert "0 of" in CliRunner().invoke(app, ["keys", "give-up"]).output
    KeyFile(kept.settings.data_dir).write([Fernet.generate_key().decode()])
    refused = CliRunner().invoke(app, ["keys", "give-up"], input="n\n")
    assert refused.exit_code == 1, refused.output
    with kept.database.session() as session:
        assert session.scalar(select(func.count()).select_from(Draft)) == 1
    done = CliRunner().invoke(app, ["keys", "give-up"], input="y\n")
    assert re.search(r"\d\d values taken out", done.output)
    with kept.database.session() as session:
        assert session.scalar(select(func.count()).select_from(Draft)) == 0


def test_every_binary_column_takes_part() -> None:
    names = {f"{column.table.name}.{column.name}" for column in sealed_columns()}
    assert {"tickets.fields", "drafts.fields", "messages.hidden", "conversations.address", "ticket_events.text", "staff.totp"} <= names


def test_the_commands_say_what_they_did(kept: Services) -> None:
    early = CliRunner().invoke(app, ["keys", "rotate"])
    assert early.exit_code == 0, early.output
    assert re.search(r"\d+ put under the newest key, 0 that no key opens", early.output)
    dropped = CliRunner().invoke(app, ["keys", "drop"])
    assert dropped.exit_code == 0, dropped.output
    assert "2 keys remain, the oldest for fingerprints only" in dropped.output
