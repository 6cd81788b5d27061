"""Keys: where they come from, and what each of them still opens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, InvalidToken

from store.encryption import Encryption, KeyFile, open_encryption

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def test_without_a_key_nothing_starts() -> None:
    with pytest.raises(ValueError, match="at least one encryption key"):
        Encryption([])


def test_keys_of_the_environment_open_what_each_of_them_sealed_and_the_first_seals(tmp_path: Path) -> None:
    sealed = Encryption([OLD]).seal("lama")
    both = open_encryption(f" {NEW}, {OLD} ,", tmp_path)
    assert both.unseal(sealed) == "lama"
    assert Encryption([NEW]).unseal(both.seal("baru")) == "baru"
    assert both.fingerprint("x") == Encryption([OLD]).fingerprint("x") != Encryption([NEW]).fingerprint("x")
    assert not (tmp_path / "keys.txt").exists()
    with pytest.raises(InvalidToken):
        Encryption([NEW]).unseal(sealed)


def test_of_two_processes_that_make_the_first_key_at_once_both_use_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def another_was_first(_mine: Path, file: Path) -> None:
        file.write_text(f"{OLD}\n")
        raise FileExistsError

    monkeypatch.setattr(os, "link", another_was_first)
    encryption = open_encryption("", tmp_path)
    assert Encryption([OLD]).unseal(encryption.seal("x")) == "x"
    assert [file.name for file in tmp_path.iterdir()] == ["keys.txt"]


def test_a_key_file_that_cant_be_looked_at_changes_nothing(tmp_path: Path) -> None:
    encryption = open_encryption("", tmp_path)
    sealed = encryption.seal("x")
    KeyFile(tmp_path).path.unlink()
    assert encryption.unseal(sealed) == "x"
    assert encryption.unseal(encryption.seal("y")) == "y"
    with pytest.raises(InvalidToken):
        encryption.unseal(Encryption([NEW]).seal("z"))
