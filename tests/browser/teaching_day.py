"""Messages that wait to be taught, on the data of a running server: as the bot leaves them behind, without asking it."""

from __future__ import annotations

from services.assembly import Services
from services.turn import AnswerStatus
from store.conversations import Reply

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
