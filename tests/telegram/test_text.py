"""The neutral message as Telegram's HTML: nothing outside the allow-list, and nothing cut that belongs together."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.telegram.text import LONGEST, pieces, seen, size
from bot.markup import to_plain, to_telegram_html
from bot.messages import Outbound
from store.database import utc_now

SCHEMES = re.compile(r"(?:https://|mailto:|tel:)[^\s<>\"']+")
TAGS = {"b", "i", "a"}
NASTY = st.text(alphabet="*[]()<>&\"'/:ahtps javscriptmailto\n-", max_size=200)
MARKED = st.sampled_from(
    [
        "**a**",
        "[b](https://c.id)",
        "[b](javascript:x)",
        "[b](http://c.id)",
        "[b](tg://user?id=1)",
        "<b>",
        "</a>",
        "&lt;",
        "**<i>**",
        "[<](tel:1)",
    ]
)
TEXTS = NASTY | st.text(max_size=200) | st.lists(MARKED | NASTY, max_size=12).map("".join)
SOURCES = st.lists(
    st.fixed_dictionaries(
        {
            "title": st.text(min_size=1, max_size=700) | st.just("</i><b>"),
            "url": st.none()
            | st.sampled_from(["https://a.id/?b=1&c=2", "http://a.id", "javascript:alert(1)", 'https://a.id/"onclick=']),
            "checked_on": st.just("2026-11-23"),
        }
    ),
    max_size=9,
)


class Reader(HTMLParser):
    """Reads a piece as Telegram would: tags that are not allowed, not closed or badly nested fail."""

    def __init__(self, piece: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text = ""
        self.feed(piece)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        assert tag not in self.open
        assert [name for name, _ in attrs] == (["href"] if tag == "a" else [])
        assert all(SCHEMES.fullmatch(value or "") for _, value in attrs)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError("a declaration")


def message(text: str, sources: list[dict[str, str | None]]) -> Outbound:
    return Outbound(1, "bot", text, utc_now(), [], sources)


@settings(max_examples=300, deadline=None)
@given(TEXTS, SOURCES)
def test_no_tag_and_no_scheme_outside_the_allow_list_comes_out_of_any_message(text: str, sources: list[dict[str, str | None]]) -> None:
    for piece in pieces(message(text, sources)):
        reader = Reader(piece)
        assert reader.text == seen(piece)
        assert 1 <= size(reader.text) <= LONGEST


@pytest.mark.parametrize(
    ("text", "telegram", "plain"),
    [
        ("**tebal** & <b>", "<b>tebal</b> &amp; &lt;b&gt;", "tebal & <b>"),
        ("- satu\n- dua", "• satu\n• dua", "- satu\n- dua"),
        ("[a](https://b.id)", '<a href="https://b.id">a</a>', "a (https://b.id)"),
        (
            "[a](http://localhost:8080/data-saya/x)",
            '<a href="http://localhost:8080/data-saya/x">a</a>',
            "a (http://localhost:8080/data-saya/x)",
        ),
        (
            "[a](http://localhost.example/data-saya/x)",
            "[a](http://localhost.example/data-saya/x)",
            "[a](http://localhost.example/data-saya/x)",
        ),
        ("[a](javascript:alert)", "[a](javascript:alert)", "[a](javascript:alert)"),
        ("[a](https://a.id@b.id/)", "[a](https://a.id@b.id/)", "[a](https://a.id@b.id/)"),
        ("[a](https://b.id/@akun)", '<a href="https://b.id/@akun">a</a>', "a (https://b.id/@akun)"),
    ],
)
def test_markup_is_rendered_for_each_channel(text: str, telegram: str, plain: str) -> None:
    assert to_telegram_html(text) == telegram
    assert to_plain(text) == plain


WORDS = st.sampled_from(
    [
        "kata",
        "**tebal**",
        "**dua kata**",
        "[dua kata](https://contoh.id/a)",
        "🙂" * 30,
        "panjang" * 100,
        "a&b",
        "<c>",
        "é\u0301",
        "👨‍👩‍👧",
    ]
)
LINES = st.lists(st.lists(WORDS, min_size=1, max_size=60).map(" ".join), min_size=1, max_size=40).map("\n".join)


@settings(max_examples=80, deadline=None)
@given(LINES, SOURCES)
def test_a_long_message_is_cut_where_no_word_and_no_entity_is_cut(text: str, sources: list[dict[str, str | None]]) -> None:
    cut = pieces(message(text, sources))
    read = [Reader(piece).text for piece in cut]
    assert all(size(piece) <= LONGEST for piece in read)
    whole = Reader(to_telegram_html(text)).text.split()
    assert " ".join(read).split()[: len(whole)] == whole
    assert "".join(cut).count("dua kata</a>") == text.count("[dua kata]")


def test_one_endless_word_is_cut_by_characters() -> None:
    cut = pieces(message("🙂" * 5000, []))
    assert "".join(cut) == "🙂" * 5000
    assert all(size(piece) <= LONGEST for piece in cut)
