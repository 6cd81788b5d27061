"""What a citizen wants of a ticket, by the words alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.ticket_follow_ups import NOTE, WITHDRAWAL
from services.ticket_wishes import (
    Reach,
    Wish,
    _tail,
    announces_note,
    find_wish,
    is_other_wish,
    keeps,
    still_open,
    ticket_meant,
    told_note,
    withdraws,
    without_announcement,
)
from store.database import utc_now

LAST, AT_HAND, NONE = Reach.LAST, Reach.AT_HAND, Reach.NONE
NUMBERS = ["KEB-20261126-XTC4", "ASP-20261126-KAMI", "ASP-20261126-2026"]


@pytest.mark.parametrize(
    ("text", "reach", "wish"),
    [
        ("ubah tiket saya", AT_HAND, Wish.CORRECT),
        ("cabut aja tiketnya", AT_HAND, Wish.WITHDRAW),
        ("yang lama tadi masih ada kan? yang xtc4 tolong dicabut", AT_HAND, Wish.WITHDRAW),
        ("tiket ASP-20261126-7K4Q, tolong dibatalkan", NONE, Wish.WITHDRAW),
        ("mohon permohonan informasi saya dibatalkan", AT_HAND, Wish.WITHDRAW),
        ("kulo bade nyabut aspirasi kulo", AT_HAND, Wish.WITHDRAW),
        ("I'd like to take back my objection", AT_HAND, Wish.WITHDRAW),
        ("withdraw my suggestion", AT_HAND, Wish.WITHDRAW),
        ("batalin deh itu cuma becanda", LAST, Wish.WITHDRAW),
        ("hapus aja yang barusan", LAST, Wish.WITHDRAW),
        ("hmm yaudah cabut aja", LAST, Wish.WITHDRAW),
        ("beta mau tambah catatan par aspirasi tadi", AT_HAND, Wish.NOTE),
        ("eh jangan deh, tambah catatan aja", AT_HAND, Wish.NOTE),
        ("tambah catatan ke KEB-20261126-XTC4", NONE, Wish.NOTE),
        ("can I add another note to my request", AT_HAND, Wish.NOTE),
        ("catatan saya yg pertama tadi salah, bisa dihapus?", LAST, Wish.CORRECT),
        ("gue mau ganti dokumennya jadi anggaran 2025, bisa ga", LAST, Wish.CORRECT),
        ("alamat saya ganti jadi Jl. Mawar 5 Bandung", AT_HAND, Wish.CORRECT),
        ("isinya salah, gimana benerinnya", LAST, Wish.CORRECT),
        ("change my name to Budi", LAST, Wish.CORRECT),
        ("tanda terimanya mana", LAST, Wish.RECEIPT),
        ("bisa di download ga tiketnya", AT_HAND, Wish.RECEIPT),
        ("can I download it later", LAST, Wish.RECEIPT),
        ("mau liat catatan yang tadi", AT_HAND, Wish.NOTES),
        ("kpn dihubungin?", LAST, Wish.DUE),
        ("how long until they reply", LAST, Wish.DUE),
        ("berapa hari kerja lagi", LAST, Wish.DUE),
        ("bisa diubah ga isinya? ada typo", LAST, Wish.CORRECT),
        ("ada typo, bisa diedit gak?", LAST, Wish.CORRECT),
        ("bisa ganti jadwal magang ga", LAST, None),
        ("sisa berapa hari", LAST, Wish.DUE),
        ("berapa lama magangnya", LAST, None),
        ("boleh liat tandaterimanya", AT_HAND, Wish.RECEIPT),
        ("kapan aspirasi saya dibalas", AT_HAND, Wish.DUE),
        ("statusnya gmn skrg?", LAST, Wish.STATUS),
        ("cek lagi dong", LAST, Wish.STATUS),
        ("kapan dijawab?", AT_HAND, Wish.DUE),
        ("tgl bisa diganti?", LAST, Wish.CORRECT),
        ("jumlahnya 17 saja, tolong dicatat", AT_HAND, Wish.NOTE),
        ("skrg bikin yg baru ya kak, isinya trotoar rusak", LAST, Wish.NEW),
        ("lho bukan catatan, bikin ASPIRASI BARU", AT_HAND, Wish.NEW),
        ("tiket gw cabut aja lah percuma", AT_HAND, Wish.WITHDRAW),
        ("aspirasi saya tarik saja soalnya salah alamat", AT_HAND, Wish.WITHDRAW),
        ("kalo gitu tarik", LAST, Wish.WITHDRAW),
        ("mau tarik trus bikin baru", LAST, Wish.WITHDRAW),
        ("cabut dulu lalu kirim yang baru", LAST, Wish.WITHDRAW),
        ("withdraw", LAST, Wish.WITHDRAW),
        ("hapus we atuh", LAST, Wish.WITHDRAW),
        ("kak tiketnya bisa dibatalin ga nanti", AT_HAND, Wish.MAY_WITHDRAW),
        ("apakah aspirasi ini bisa ditarik?", LAST, Wish.MAY_WITHDRAW),
        ("can I withdraw it later", LAST, Wish.MAY_WITHDRAW),
        ("change name to Kenji Sato", AT_HAND, Wish.CORRECT),
        ("is name ok?", LAST, Wish.CORRECT),
        ("hoyong ngaganti ngaran tiasa?", LAST, Wish.CORRECT),
        ("catat: pagarnya roboh", AT_HAND, Wish.NOTE),
        ("i want add: the fence is broken", LAST, Wish.NOTE),
        ("catatan tambahan dong: pagarnya roboh", AT_HAND, Wish.NOTE),
        ("tolong sebutkan lagi nomor tiketnya pelan pelan huruf demi huruf", AT_HAND, Wish.NUMBER),
        ("nomor tiketku berapa tadi kak", AT_HAND, Wish.NUMBER),
        ("no berapa tiket gw", AT_HAND, Wish.NUMBER),
        ("kodenya apa tadi tolong diulang", LAST, Wish.NUMBER),
        ("lupa nomornya, berapa ya", LAST, Wish.NUMBER),
        ("what's my ticket number again", AT_HAND, Wish.NUMBER),
        ("statusnya apa", AT_HAND, Wish.STATUS),
        ("jd diterima nih?", LAST, Wish.ACCEPTED),
        ("apakah permohonan saya sudah disetujui", AT_HAND, Wish.ACCEPTED),
        ("is it approved yet", LAST, Wish.ACCEPTED),
        ("jadi udah diterima belum kak", AT_HAND, Wish.ACCEPTED),
        ("istana bogor itu dicatat ga?", LAST, Wish.NOTED),
        ("yang soal jembatan sudah kecatat belum", LAST, Wish.NOTED),
        ("terus kalo ditolak?", LAST, Wish.OBJECT),
        ("kalo kaga dijawab gw laporin kemana", LAST, Wish.OBJECT),
        ("kalo telat?", LAST, Wish.OBJECT),
        ("what if they never answer", LAST, Wish.OBJECT),
        ("permohonan informasi sudah sebulan belum dibalas, apa yang harus saya lakukan", NONE, Wish.OBJECT),
        ("PPID tidak menjawab, saya harus bagaimana", NONE, Wish.OBJECT),
    ],
)
def test_a_wish_is_heard_in_many_words(text: str, reach: Reach, wish: Wish) -> None:
    assert find_wish(text, reach, NUMBERS) is wish


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("visa saya mau buat baru", LAST),
        ("batal", LAST),
        ("gak jadi deh", LAST),
        ("tiket saya jangan dibatalkan", AT_HAND),
        ("kenapa tiket saya dicabut?", AT_HAND),
        ("don't withdraw my request", AT_HAND),
        ("hapus semua data saya termasuk tiket", LAST),
        ("hapus percakapan ini", LAST),
        ("cabut persetujuan saya", LAST),
        ("usulan saya cabut aturan itu", AT_HAND),
        ("gigi bungsu dicabut sakit ga", AT_HAND),
        ("cara membatalkan tiket kereta", AT_HAND),
        ("permohonan SP yang udah masuk bisa dibatalin gak", AT_HAND),
        ("apakah aspirasi bisa dicabut?", NONE),
        ("unduh data saya", LAST),
        ("bisa diunduh gratis peraturannya?", LAST),
        ("terima kasih banyak ya", LAST),
        ("ada bukti korupsi di kantor saya", LAST),
        ("alamatnya salah", AT_HAND),
        ("kami mau dihubungi", LAST),
        ("berapa lama izin SIMPEL diproses", LAST),
        ("artinya status ditelaah apa", LAST),
        ("kirim aspirasi baru kemarin", AT_HAND),
        ("saya mau menyampaikan aspirasi", AT_HAND),
        ("...", LAST),
        ("nomor hp saya berapa", AT_HAND),
        ("nomor telepon kantor berapa", LAST),
        ("kode pos kantor apa", LAST),
        ("nomor tiketku berapa tadi kak", NONE),
        ("tarik napas dulu", LAST),
        ("kalau diterima harus apa", LAST),
        ("syarat diterima magang apa", LAST),
        ("percakapan ini disimpan tidak", LAST),
        ("kalau telat datang ke istana bagaimana", AT_HAND),
        ("kalau Komisi Informasi menolak bagaimana", LAST),
        ("usul saya ditolak pak lurah, harus bagaimana", NONE),
        ("tolong " * 70 + "cabut tiket saya", LAST),
    ],
)
def test_other_words_are_no_wish_about_a_ticket(text: str, reach: Reach) -> None:
    assert find_wish(text, reach, NUMBERS) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("cabut ASP 20261126 7k4q", "ASP-20261126-7K4Q"),
        ("yang xtc4 saja", "KEB-20261126-XTC4"),
        ("yang KAMI itu", "ASP-20261126-KAMI"),
        ("kami mau mencabut", None),
        ("sejak 2026", None),
    ],
)
def test_a_number_or_its_end_names_a_ticket_and_no_common_word_does(text: str, number: str | None) -> None:
    assert ticket_meant(text, NUMBERS) == number


@pytest.mark.parametrize(
    "text",
    [
        "eh jangan deh, tambah catatan aja",
        "beta mau tambah catatan par aspirasi tadi",
        "eh ada yang ketinggalan, mau nambahin",
        "isinya salah, gimana benerinnya",
        "catatan saya yg pertama tadi salah, bisa dihapus?",
        "lampiran suratnya nyusul boleh ditambahin?",
        "cabut tiketnya",
    ],
)
def test_what_only_announces_a_note_is_none(text: str) -> None:
    assert told_note(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "tambahin, lokasinya di Desa Lembur RT 03 dekat balai desa",
        "tambah catatan: jalan rusak",
        "ganti nama jadi Budi Santoso",
        "gue mau ganti dokumennya jadi anggaran 2025, bisa ga",
        "nambah 6 orang dosen pendamping",
    ],
)
def test_a_note_told_at_once_is_one(text: str) -> None:
    assert told_note(f" {text}\n") == text


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("mau nambahin catatan: tanahnya longsor lagi", "tanahnya longsor lagi"),
        ("tambah catatan: jalan rusak", "jalan rusak"),
        ("catat: pagarnya roboh", "pagarnya roboh"),
        ("i want add: the fence is broken", "the fence is broken"),
        ("catatan tambahan dong: pagarnya roboh", "pagarnya roboh"),
        ("tolong tambahin catatan ya kak, jembatannya juga putus", "jembatannya juga putus"),
        ("ganti alamat: Jl. Mawar 5", "ganti alamat: Jl. Mawar 5"),
        ("jembatan: roboh sejak Mei", "jembatan: roboh sejak Mei"),
        ("tambah 2 orang: Budi dan Siti", "tambah 2 orang: Budi dan Siti"),
        ("mau tambah catatan:", "mau tambah catatan:"),
        ("jumlahnya jadi 17 orang, tolong dicatat ya", "jumlahnya jadi 17 orang"),
    ],
)
def test_a_note_is_kept_without_the_words_that_announce_it(text: str, note: str) -> None:
    assert without_announcement(text) == note
    (field,) = NOTE.fields
    assert note == text or field.check(text) == note


def test_in_the_form_for_a_note_other_wishes_and_announcements_are_refused() -> None:
    (field,) = NOTE.fields
    assert is_other_wish("cabut tiket XTC4")
    assert announces_note("mau tambah catatan dong")
    assert not field.accepts("bikin yang baru aja")
    assert not field.accepts("kalo gitu tarik")
    assert not field.accepts("hapus aja deh")
    assert not field.accepts("berubah pikiran, tarik aja deh")
    assert field.accepts("petugas menarik kabelnya ke jalan")
    assert not field.accepts("saya mau tambah catatan")
    assert field.accepts("alamatnya salah")
    assert field.accepts("Tolong cabut laporan pertama, yang benar jalannya rusak sejak Mei dan belum ada yang memperbaiki")


def test_words_that_withdraw_a_ticket_delete_no_data() -> None:
    assert withdraws("cabut tiket saya")
    assert not withdraws("hapus data saya")


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ("cabut aja deh semuanya", True),
        ("withdraw", True),
        ("batalin aja tiketnya", True),
        ("kalo gitu batalin", False),
        ("nanti", False),
    ],
)
def test_what_may_call_off_the_withdrawal_itself_withdraws_nothing(text: str, sure: bool) -> None:
    (field,) = WITHDRAWAL.fields
    assert (field.check(text) is True) is sure


@pytest.mark.parametrize("text", ["no wait", "tidak, biarkan saja", "biarin aja", "keep it", "gajadi cabut", "jangan dulu"])
def test_who_would_rather_keep_the_ticket_is_not_asked_again(text: str) -> None:
    (field,) = WITHDRAWAL.fields
    assert field.check(text) is False


def test_a_visit_is_called_one_by_who_has_filed_one() -> None:
    assert find_wish("batalkan kunjungan", AT_HAND, ["KUN-20261126-XTC4"]) is Wish.WITHDRAW
    assert find_wish("batalkan kunjungan", AT_HAND, NUMBERS) is None


def test_a_ticket_stays_open_until_its_time() -> None:
    now = utc_now()
    slot = {"number": NUMBERS[0], "until": now.isoformat()}
    assert still_open(slot, now - timedelta(seconds=1)) == NUMBERS[0]
    assert still_open(slot, now) is None
    assert still_open(None, now) is None


def test_not_more_numbers_are_remembered_than_a_few_hundred_citizens_have() -> None:
    for number in range(2000):
        ticket_meant("yang tadi", [f"ASP-20261126-{number:04d}"])
    assert _tail.cache_info().currsize <= 1024


@pytest.mark.parametrize("message", ["jangan dicabut ya tiketnya", "gak usah dicabut, biarin", "don't withdraw it"])
def test_what_must_not_be_withdrawn_is_kept(message: str) -> None:
    assert keeps(message)
    assert find_wish(message, LAST) is not Wish.WITHDRAW
