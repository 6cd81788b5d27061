"""Reads a phone number or an e-mail address the way people write them, into the one form that is stored."""

from __future__ import annotations

import re

SAID_DIGITS = {
    digit: words.split()
    for digit, words in {
        "0": "nol kosong zero oh o",
        "1": "satu one",
        "2": "dua two",
        "3": "tiga three",
        "4": "empat four",
        "5": "lima five",
        "6": "enam six",
        "7": "tujuh seven",
        "8": "delapan lapan eight",
        "9": "sembilan nine",
    }.items()
}
_DIGIT_OF = {word: digit for digit, words in SAID_DIGITS.items() for word in words}
NUMBER_WORDS = "|".join(word for word in _DIGIT_OF if len(word) > 1)


def phone(written: str) -> str | None:
    """`+` and 8 to 15 digits (E.164); Indonesian where no country is named. None where it is no such number."""
    words = re.findall(r"[a-z]+|\d+", written.lower().replace("wa.me", ""))
    digits = "".join(word if word.isdecimal() else _DIGIT_OF.get(word, "") for word in words)
    digits = "".join(str(int(digit)) for digit in digits)  # full-width and Arabic digits are digits, too
    named = written.lstrip(" (").startswith("+") or written.lower().startswith("plus")
    if digits.startswith("00"):
        named, digits = True, digits[2:]
    if digits.startswith("62"):
        digits = "62" + digits[2:].removeprefix("0")
    elif not named:
        digits = "62" + digits.removeprefix("0")
    return f"+{digits}" if 8 <= len(digits) <= 15 else None


def email(written: str) -> str | None:
    """The address in lower case with `@` and dots for the words that stand for them; None where none comes of it."""
    address = " ".join(written.lower().split())
    if "@" not in address:
        address = re.sub(r" ?(?:[(\[]at[)\]]|\b(?:at|et)\b) ?", "@", address, count=1)
    address = re.sub(r" ?[(\[](?:dot|titik)[)\]] ?| (?:dot|titik) | ?\. ?|,", ".", address)
    address = re.sub(r" (?=com$|co\.id$)", ".", address.replace(" underscore ", "_").replace(" strip ", "-")).replace(" ", "")
    return address if re.fullmatch(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,5}", address) else None
