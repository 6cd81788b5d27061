"""Which files may go to a citizen, known by their content and not by what they are called."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ENDINGS = {PDF: (".pdf",), JPEG: (".jpg", ".jpeg"), PNG: (".png",), DOCX: (".docx",)}
LONGEST_NAME = 100


def media_type(content: bytes) -> str | None:
    """The type that the content has; None for every type that may not go out, and for a DOCX with macros."""
    if content.startswith(b"%PDF-"):
        return PDF
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    return DOCX if content.startswith(b"PK\x03\x04") and _is_word_document(content) else None


def _is_word_document(content: bytes) -> bool:
    try:
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    except zipfile.BadZipFile:
        return False
    macros = any(name.lower().endswith("vbaproject.bin") for name in names)
    return "word/document.xml" in names and "[Content_Types].xml" in names and not macros


def safe_name(given: str, kind: str) -> str | None:
    """The file's name without folders, control characters and inner dots; None where its ending is not one of the type."""
    name = unicodedata.normalize("NFC", re.split(r"[/\\]", given)[-1])
    stem, dot, ending = name.rpartition(".")
    if f"{dot}{ending}".lower() not in ENDINGS[kind]:
        return None
    stem = re.sub(r"[^\w ()+,-]", "_", stem).strip(" _")[:LONGEST_NAME] or "berkas"
    return f"{stem}.{ending.lower()}"
