"""Messages that wait to be taught, as the bot leaves them behind, and what staff have made of some of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from services.assembly import Services
from services.knowledge_form import KnowledgeForm
from services.settings import PROJECT
from services.turn import AnswerStatus
from store.conversations import Reply

if TYPE_CHECKING:
    from tests.browser.desk_day import Colleague, DeskDay

NOT_UNDERSTOOD = "Maaf, saya belum memahami maksud Anda. Bisa ditulis dengan kata lain?"
NO_INFORMATION = "Maaf, belum ada informasi tentang hal itu."
UNCLEAR = (
    ("rombongan sekolah kami dari Sorong boleh melihat ruang kerja menteri, kah?", "ask_information", 0.41),
    ("kira-kira surat izin ke Wina buat pak dekan masih parkir di meja siapa", "check_simpel_status", 0.52),
    ("ada contoh surat permohonan data yang bisa saya tiru formatnya?", "submit_information_request", 0.47),
    ("yang jaga meja depan kemarin ketus sekali sama ibu saya", "report_complaint", 0.44),
    ("batas umur pendaftar magang tahun depan kira-kira berubah nggak", "ask_information", 0.55),
    ("punya resep rendang khas Payakumbuh yang keringnya awet sebulan", "out_of_scope", 0.49),
    ("nomor antrean tiketku ilang, masih bisa dilacak lewat kalian?", "check_ticket_status", 0.5),
    ("tolong hitungkan luas kebun jagung kakek saya", "out_of_scope", 0.38),
    ("saya usul trotoar depan kantor diberi bangku", "submit_aspiration", 0.57),
    ("jarak tempuh kurir paling jauh berapa kilometer sih pak", "out_of_scope", 0.36),
    ("bicara langsung sama orangnya bisa nggak", "talk_to_officer", 0.58),
    ("itu tadi bukan yang saya tanyakan lho", "correct_answer", 0.51),
)
PARKING = (
    "parkir tamu di setneg di sebelah mana",
    "kalau bawa mobil ke setneg parkirnya di mana",
    "tempat parkir motor untuk tamu setneg ada?",
    "parkir bus rombongan di kantor setneg di mana ya",
    "where can visitors park at Setneg?",
    "tarif parkir tamu setneg berapa",
)
PRAYER = (
    "di kantor setneg ada musala buat tamu?",
    "musala untuk pengunjung setneg di lantai berapa",
    "bisa numpang salat di gedung setneg gak",
)
VISITORS_PARKING = KnowledgeForm(
    id="kemensetneg_profil_parkir",
    topic="kemensetneg_profil",
    title_id="Parkir tamu",
    title_en="Parking for visitors",
    questions_id="\n".join((*PARKING[:4], PARKING[5])),
    questions_en="where can visitors park at Setneg?\nis there parking for guests",
    answer_id="Tempat parkir tamu ditunjukkan oleh petugas di gerbang. Sampaikan nama unit yang Anda kunjungi.",
    answer_en="The guards at the gate show visitors where to park. Tell them which unit you visit.",
    source_title="Contoh untuk pelatihan petugas",
    source_document="Contoh untuk pelatihan petugas, bukan keterangan resmi",
    checked_on="2026-11-20",
    valid_until="2027-05-31",
    owner="Biro Umum",
    trust="RESMI",
)
MORE = {"id": "Keterangan lebih lanjut ada pada sumber di bawah ini.", "en": "Further information stands in the source below."}


def leave_questions(services: Services) -> None:
    """A queue to teach from, and two groups of questions that nobody could answer."""
    for text, intent, confidence in UNCLEAR:
        second = "ask_information" if intent != "ask_information" else "submit_information_request"
        ranking = [[intent, confidence], [second, round(confidence - 0.09, 2)], ["thank", 0.03]]
        _say(services, text, NOT_UNDERSTOOD, intent, confidence, AnswerStatus.ASKED_AGAIN, ranking)
    for text in (*PARKING, *PRAYER):
        _say(services, text, NO_INFORMATION, "ask_information", 0.93, AnswerStatus.NOT_KNOWN, [["ask_information", 0.93]])


def _say(
    services: Services, text: str, answer: str, intent: str, confidence: float, status: AnswerStatus, ranking: list[list[object]]
) -> None:
    conversation = services.conversations.open("web", "id").id
    received = services.conversations.add_inbound(conversation, "m1", text)
    turn = {"status": status, "intent": intent, "confidence": confidence, "ranking": ranking}
    services.conversations.add_replies(conversation, [Reply(answer)], reply_to=received.id, turn=turn)


@dataclass(frozen=True)
class Lessons:
    """What `teach_and_write` has made: numbers of batches, and addresses at the desk."""

    approved_batch: int
    proposed_batch: int
    draft: str
    proposal: str
    entry: str
    """One that was edited and published at the desk."""


def teach_and_write(day: DeskDay) -> Lessons:
    """Two batches of the editor's, one of them approved; two decisions of the administrator's; a draft, a proposal, a publication."""
    leave_questions(day.services)
    approved, proposed = (_batch(day.services, "dewi") for _ in range(2))
    day.services.teaching_batches.approve("sri", approved, [one.id for one in day.services.teaching_batches.get(approved)[1]])
    _decide(day.services, "sri", 2)
    with day.colleague("dewi") as editor, day.colleague("sri") as second:
        draft = editor.sends("/desk/knowledge/drafts", topic="kemensetneg_profil", title=PARKING[0], question=list(PARKING))
        editor.sends(draft, then="save", probes="\n".join((*PARKING, PRAYER[0])), **VISITORS_PARKING.values())
        proposal = _proposed_edit(editor, "magang_lama")
        edit = _proposed_edit(editor, "istura_biaya")
        return Lessons(approved, proposed, draft, proposal, second.sends(f"{edit}/publish"))


def _decide(services: Services, login: str, count: int) -> None:
    for candidate in services.teaching.queue()[:count]:
        intents = [one for one in candidate.ranking if one in services.teaching.intents()]
        services.teaching.decide(login, candidate.message_id, intents[0] if intents else "out_of_scope")


def _batch(services: Services, login: str) -> int:
    _decide(services, login, 3)
    return services.teaching_batches.hand_on(login)


def _proposed_edit(editor: Colleague, entry_id: str) -> str:
    """Address of a proposal that adds a sentence to an answer."""
    form = KnowledgeForm.read((PROJECT / "knowledge" / f"{entry_id}.md").read_text(encoding="utf-8"))
    form = replace(form, answer_id=f"{form.answer_id}\n\n{MORE['id']}", answer_en=f"{form.answer_en}\n\n{MORE['en']}")
    draft = editor.sends(f"/desk/knowledge/entries/{entry_id}/edit")
    editor.sends(draft, then="propose", note="Sumber perlu disebut.", probes=form.questions("id")[0], **form.values())
    return draft
