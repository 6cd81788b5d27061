from __future__ import annotations

import io
import zipfile
from pathlib import Path

import httpx
import pytest

from services import ticket_files
from services.assembly import Services
from services.permissions import Role
from services.ticket_files import MOST_FILES, FileProblem, FileRefused, TicketFiles
from services.tickets import Kind, Resolution
from store.ticket_models import Ticket
from tests.desk.clamd import EICAR, running_clamd
from tests.desk.filed import file
from tests.desk.officer import Officer

PDF, PNG, JPEG = b"%PDF-1.7 isi", b"\x89PNG\r\n\x1a\n isi", b"\xff\xd8\xff isi"


def docx(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("[Content_Types].xml", *names):
            archive.writestr(name, "<x/>")
    return out.getvalue()


async def upload(officer: Officer, number: str, name: str, content: bytes) -> httpx.Response:
    files = {"file": (name, content, "application/pdf")}
    return await officer.client.post(f"/desk/tickets/{number}/files", data={"form_token": officer.form_token}, files=files)


@pytest.mark.parametrize(
    ("name", "content", "kept"),
    [
        ("laporan.PDF", PDF, "laporan.pdf"),
        ("peta.png", PNG, "peta.png"),
        ("foto.jpeg", JPEG, "foto.jpeg"),
        ("surat.docx", docx("word/document.xml"), "surat.docx"),
        ("../../etc/passwd.pdf", PDF, "passwd.pdf"),
        ("..\\..\\boot.pdf", PDF, "boot.pdf"),
        ("laporan.exe.pdf", PDF, "laporan_exe.pdf"),
        ("<script>.pdf", PDF, "script.pdf"),
        (".pdf", PDF, "berkas.pdf"),
    ],
)
async def test_a_file_is_kept_under_a_harmless_name(name: str, content: bytes, kept: str, services: Services, sign_in) -> None:
    number = file(services, Kind.ASPIRATION)
    officer = await sign_in(Role.OFFICER)
    assert (await upload(officer, number, name, content)).status_code == 303
    (stored,) = services.ticket_files.of(number)
    assert stored.name == kept
    assert (await officer.opens(f"/desk/tickets/{number}/files/{stored.id}")).content == content


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("laporan.pdf", b""),
        ("laporan.pdf", b"MZ\x90\x00 program"),
        ("halaman.pdf", b"<html><script>1</script>"),
        ("gambar.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("laporan.pdf.exe", PDF),
        ("laporan", PDF),
        ("laporan.docx", PDF),
        ("makro.docx", docx("word/document.xml", "word/vbaProject.bin")),
        ("arsip.docx", docx("lain.xml")),
        ("rusak.docx", b"PK\x03\x04 rusak"),
    ],
)
async def test_other_files_are_refused_with_a_sentence(name: str, content: bytes, services: Services, sign_in) -> None:
    number = file(services, Kind.ASPIRATION)
    response = await upload(await sign_in(Role.OFFICER), number, name, content)
    assert response.status_code == 422
    assert 'role="alert"' in response.text
    assert services.ticket_files.of(number) == []


async def test_a_form_without_a_file_is_answered_with_a_sentence(services: Services, sign_in) -> None:
    officer = await sign_in(Role.OFFICER)
    assert (await officer.sends(f"/desk/tickets/{file(services, Kind.ASPIRATION)}/files", file="x")).status_code == 422


async def test_a_file_that_is_too_large_leads_back_to_the_ticket(services: Services, sign_in) -> None:
    number = file(services, Kind.ASPIRATION)
    officer = await sign_in(Role.OFFICER)
    largest = services.ticket_files.largest
    just_over = await upload(officer, number, "a.pdf", PDF.ljust(largest + 1))
    assert just_over.status_code == 422 and "terlalu besar" in just_over.text
    far_over = await upload(officer, number, "a.pdf", PDF.ljust(largest + 200_000))
    assert far_over.status_code == 303
    assert "terlalu besar" in await officer.reads(far_over.headers["location"].split("#")[0])
    assert (await upload(officer, number, "a.pdf", PDF.ljust(largest))).status_code == 303


async def test_only_the_form_for_files_takes_large_bodies_also_without_a_length(services: Services, sign_in) -> None:
    number = file(services, Kind.ASPIRATION)
    officer = await sign_in(Role.OFFICER)

    async def endless():
        for _ in range(40):
            yield b"x" * 4096

    for path in (f"/desk/tickets/{number}/note", "/desk/sign-in", "/api/chat/sessions"):
        assert (await officer.client.post(path, content=b"x" * 70_000)).status_code == 413, path
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await officer.client.post(path, content=endless(), headers=headers)).status_code == 413, path


def test_an_answer_has_so_many_files_and_no_more(services: Services) -> None:
    number = file(services, Kind.ASPIRATION)
    for _ in range(MOST_FILES):
        services.ticket_files.add(number, "a.pdf", PDF, "sari")
    with pytest.raises(FileRefused) as refused:
        services.ticket_files.add(number, "a.pdf", PDF, "sari")
    assert refused.value.problem is FileProblem.NUMBER
    stored = [path for path in (services.settings.data_dir / "files").rglob("*") if path.is_file()]
    assert len(stored) == MOST_FILES


def test_a_ticket_that_is_not_there_gets_no_file(services: Services) -> None:
    with pytest.raises(KeyError):
        services.ticket_files.add("ASP-20261123-0000", "a.pdf", PDF, "sari")
    assert not [path for path in (services.settings.data_dir / "files").rglob("*") if path.is_file()]


def test_contents_and_names_lie_encrypted_in_the_data_folder(services: Services) -> None:
    services.ticket_files.add(file(services, Kind.ASPIRATION), "Siti Rahmawati.pdf", PDF, "sari")
    for path in Path(services.settings.data_dir).rglob("*"):
        if path.is_file():
            assert PDF not in path.read_bytes() and b"Siti Rahmawati" not in path.read_bytes()
            if "files" in path.parts:
                assert path.stat().st_mode & 0o077 == 0


async def test_a_file_belongs_to_its_ticket_alone(services: Services, sign_in) -> None:
    mine, other = file(services, Kind.ASPIRATION), file(services, Kind.ASPIRATION)
    request = file(services)
    stored = services.ticket_files.add(mine, "a.pdf", PDF, "sari")
    secret = services.ticket_files.add(request, "b.pdf", PDF, "sari")
    officer = await sign_in(Role.OFFICER)
    assert (await officer.opens(f"/desk/tickets/{other}/files/{stored.id}")).status_code == 404
    assert (await officer.sends(f"/desk/tickets/{other}/files/{stored.id}/remove")).status_code == 404
    assert (await officer.opens(f"/desk/tickets/{request}/files/{secret.id}")).status_code == 403
    assert (await officer.sends(f"/desk/tickets/{mine}/files/{stored.id}/remove")).status_code == 303
    assert services.ticket_files.of(mine) == []


async def test_files_of_an_answer_stay_and_open_only_by_their_own_link(services: Services, client) -> None:
    number, other = file(services, Kind.ASPIRATION), file(services, Kind.ASPIRATION)
    stored = services.ticket_files.add(number, "a.pdf", PDF, "sari")
    foreign = services.ticket_files.add(other, "b.pdf", PDF, "sari")
    link = services.ticket_files.link(number).removeprefix(services.settings.address)
    assert (await client.get(link)).status_code == 404  # not answered yet
    services.ticket_changes.answer(number, "Terlampir", Resolution.ANSWERED, "sari")
    with pytest.raises(FileRefused):
        services.ticket_files.remove(number, stored.id, "sari")
    assert (await client.get(link)).status_code == 200
    assert (await client.get(f"{link}/{stored.id}")).content == PDF
    assert (await client.get(f"{link}/{foreign.id}")).status_code == 404
    for forged in (link[:-2], "/berkas/" + services.receipts.link(number).rsplit("/", 1)[1]):
        assert (await client.get(forged)).status_code == 404
        assert (await client.get(f"{forged}/{stored.id}")).status_code == 404


async def test_an_old_link_says_how_to_get_a_new_one(services: Services, client, monkeypatch) -> None:
    number = file(services, Kind.ASPIRATION)
    services.ticket_changes.answer(number, "Terlampir", Resolution.ANSWERED, "sari")
    link = services.ticket_files.link(number).removeprefix(services.settings.address)
    monkeypatch.setattr(services.ticket_files, "hours", -1)
    page = await client.get(link)
    assert page.status_code == 410 and "cek status tiket" in page.text


def scanned(services: Services, address: str) -> TicketFiles:
    folder = services.settings.data_dir / "files"
    return TicketFiles(services.database, services.encryption, folder, megabytes=1, scanner=address, hours=1, address="")


@pytest.mark.parametrize("place", ["a port", "a socket"])
def test_a_scanner_decides_where_one_is_set(place: str, services: Services, tmp_path: Path) -> None:
    number = file(services, Kind.ASPIRATION)
    with running_clamd(tmp_path / "clamd.ctl" if place == "a socket" else None) as address:
        assert scanned(services, address).add(number, "a.pdf", PDF, "sari").size == len(PDF)
        with pytest.raises(FileRefused) as refused:
            scanned(services, address).add(number, "b.pdf", PDF + EICAR, "sari")
        assert refused.value.problem is FileProblem.INFECTED


@pytest.mark.parametrize("address", ["127.0.0.1:1", "unix:/nonexistent/clamd.ctl"])
def test_without_an_answer_of_the_scanner_nothing_is_taken(address: str, services: Services) -> None:
    number = file(services, Kind.ASPIRATION)
    with pytest.raises(FileRefused) as refused:
        scanned(services, address).add(number, "a.pdf", PDF, "sari")
    assert refused.value.problem is FileProblem.NOT_SCANNED
    assert services.ticket_files.of(number) == []


@pytest.mark.parametrize("says", [b"INSTREAM size limit exceeded. ERROR\0", b"stream: O", b""], ids=["an error", "half", "nothing"])
def test_without_a_verdict_of_the_scanner_nothing_is_taken(says: bytes, services: Services) -> None:
    number = file(services, Kind.ASPIRATION)
    with running_clamd(says=says) as address, pytest.raises(FileRefused) as refused:
        scanned(services, address).add(number, "a.pdf", PDF, "sari")
    assert refused.value.problem is FileProblem.NOT_SCANNED
    assert services.ticket_files.of(number) == []


@pytest.mark.parametrize("removes", [False, True], ids=["added", "removed"])
def test_as_the_answer_goes_out_no_file_is_added_or_removed_any_more(
    removes: bool, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = file(services, Kind.ASPIRATION)
    kept = services.ticket_files.add(number, "laporan.pdf", PDF, "dewi")
    looks = ticket_files._must_be_open

    def looks_a_moment_too_early(ticket: Ticket) -> None:
        looks(ticket)
        monkeypatch.setattr(ticket_files, "_must_be_open", looks)
        services.ticket_changes.answer(number, "Terima kasih.", Resolution.ANSWERED, "agus")

    monkeypatch.setattr(ticket_files, "_must_be_open", looks_a_moment_too_early)
    with pytest.raises(FileRefused) as refused:
        if removes:
            services.ticket_files.remove(number, kept.id, "dewi")
        else:
            services.ticket_files.add(number, "lagi.pdf", PDF, "dewi")
    assert refused.value.problem is FileProblem.CLOSED
    assert services.ticket_files.of(number) == [kept]
    assert len([path for path in (services.settings.data_dir / "files").rglob("*") if path.is_file()]) == 1
