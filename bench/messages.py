"""What the senders say: sentences of the bench's own, and as many distinct messages made of them as a run needs."""

from __future__ import annotations

import random

INDONESIAN = """
Apa tugas Kementerian Sekretariat Negara?
Bagaimana cara mengunjungi Istana Kepresidenan?
Berapa biaya ikut Istura?
Hari apa saja Istura dibuka untuk rombongan sekolah?
Syarat magang di Setneg apa saja?
Magang di Setneg dibayar atau tidak?
Kapan pendaftaran magang gelombang berikutnya dibuka?
Berapa hari permohonan informasi publik harus dijawab?
Informasi apa yang dikecualikan menurut undang-undang?
Apa bedanya keberatan dengan sengketa informasi?
Di mana saya bisa membaca peraturan presiden terbaru?
Bagaimana mencari keputusan presiden lama di JDIH?
Apa itu SIMPEL dan siapa yang memakainya?
Dokumen apa yang diperlukan untuk izin dinas luar negeri?
Berapa lama persetujuan perjalanan dinas luar negeri?
Siapa kepala Biro Humas sekarang?
Nomor telepon Biro Humas berapa?
Apakah Setneg memakai kecerdasan buatan untuk menyusun undang-undang?
Apa hasil webinar dengan Universitas Tidar?
Setneg Mantul itu program apa?
Cara ikut upacara 17 Agustus di Istana bagaimana?
Lapor Mas Wapres buka jam berapa?
Data pribadi saya disimpan berapa lama?
Pengaduan saya diteruskan ke mana?
Apa saja kanal untuk menyampaikan aspirasi?
Boleh kirim aspirasi tanpa nama?
Pejabat humas pelatihannya apa saja?
Transformasi digital di Setneg sudah sampai mana?
cara daftar istura gmn ya
magang bs buat anak smk ga
Halo
Selamat pagi
Assalamualaikum
permisi min
Selamat sore, ada yang bisa bantu?
Terima kasih banyak
Sampai jumpa
Kamu robot atau manusia?
Kamu bisa bantu apa saja?
Saya mau cek status SIMPEL
Berkas izin dinas luar negeri saya sudah sampai mana?
Mau cek status tiket yang kemarin
Bagaimana kabar laporan saya minggu lalu?
Saya ingin bicara dengan petugas
Jawaban tadi kurang tepat
Resep rendang padang dong
Siapa juara liga Inggris musim ini?
Besok Bandung hujan tidak?
Tolong buatkan puisi tentang laut
Harga emas hari ini berapa?
"""
ENGLISH = """
What does the Ministry of State Secretariat do?
How can I visit the presidential palace with a school group?
Is there an internship programme for foreign students?
How long does a public information request take?
Which documents do I need for an official trip abroad?
Where can I read presidential regulations online?
Can I send a suggestion to the government anonymously?
Good morning
Thanks a lot
Are you a real person?
What is the status of my SIMPEL request?
I would like to check my ticket
Who won the football match last night?
Recommend me a good restaurant in Jakarta
"""
TOWNS = """
Sleman Bantul Medan Padang Jambi Palembang Bengkulu Serang Bogor Bandung Cirebon Tegal Solo Malang Kediri Jember Denpasar Mataram
Kupang Pontianak Sampit Samarinda Palu Makassar Kendari Gorontalo Manado Ternate Ambon Sorong Jayapura Merauke Perth Leiden
""".split()
OPENERS = {
    "id": ["", "Halo kak, ", "Maaf, ", "Mohon info: ", "Min, "],
    "en": ["", "Hi, ", "Excuse me, ", "Hello there, ", "Sorry, "],
}
CLOSERS = {
    "id": ["", " Mohon dijawab.", " Ini untuk ibu saya.", " Makasih ya.", *(f" Saya dari {town}." for town in TOWNS)],
    "en": ["", " Please answer.", " It is for my mother.", " Thank you.", *(f" I am from {town}." for town in TOWNS)],
}


def sentences() -> list[str]:
    """The sentences as they stand, all distinct."""
    return [*INDONESIAN.strip().splitlines(), *ENGLISH.strip().splitlines()]


def distinct_messages(count: int) -> list[str]:
    """The first `count` of the same shuffled list in every run. All differ, so that no cache of a system answers for it."""
    listed = {"id": INDONESIAN.strip().splitlines(), "en": ENGLISH.strip().splitlines()}
    made = [
        f"{opener}{sentence}{closer}"
        for language, own in listed.items()
        for opener in OPENERS[language]
        for sentence in own
        for closer in CLOSERS[language]
        if opener or closer
    ]
    if count > len(made):
        raise ValueError(f"{count} messages wanted, {len(made)} can be made")
    random.Random(1).shuffle(made)
    return made[:count]
