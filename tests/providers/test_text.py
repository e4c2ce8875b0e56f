"""Bodies in normal form, whichever platform they come from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync.engine.events import Field
from calsync.providers.google.bodies import TRAITS as GOOGLE
from calsync.providers.google.bodies import description_of
from calsync.providers.google.mapping import body_of
from calsync.providers.markup import from_html, looks_like_html, read_html, shows, to_html, written
from calsync.providers.text import LONG_MARK, normalised, one_line, shortened, units


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a \t\nb\u00a0c\u200b", "a\nb c"),
        ("a\x0bb\x00\x1b\ud83d", "a\nb"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("\n\na\n\n\n\nb\n\n", "a\n\nb"),
        ("  indented", "  indented"),
    ],
)
def test_plain_text_has_one_form(source, text):
    assert normalised(source) == text
    assert normalised(text) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<html><head><style>p {color: red}</style></head><body>a</body></html>", "a"),
        ("<div>a</div>\r\n<div>b</div>", "a\nb"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("a   \n  b<br>c", "a b\nc"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>", "1. a\n  - b\n2. c"),
        ("<p class=x>a<o:p></o:p></p><p><o:p>&nbsp;</o:p></p><!--[if mso]>x<![endif]-->", "a"),
        ("<script>a</script><svg><text>b</text></svg>c", "c"),
        ('<a href="javascript:x()">a</a>', "a"),
        ("Ann <ann@example.com> <https://x.example/y>", "Ann <ann@example.com> <https://x.example/y>"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("R&amp;D&nbsp;&lt;x&gt;", "R&D <x>"),
        ('<a href="https://x.example/a">here</a>', "here <https://x.example/a>"),
        ('<a href="https://x.example/a">https://x.example/a</a>', "https://x.example/a"),
        ('<a href="mailto:a@x.example">a@x.example</a>', "a@x.example"),
        ('<a href="https://x.example/a"><img src="y"></a>', "https://x.example/a"),
        ("a<!-- hidden -->b", "ab"),
    ],
)
def test_html_is_read_as_people_see_it(markup, text):
    assert from_html(markup) == text


def test_line_ends_of_the_source_can_count():
    assert from_html("a\nb<br>c", keep_line_ends=True) == "a\nb\nc"


@pytest.mark.parametrize(
    ("source", "is_html"),
    [
        ("a < b and c > d", False),
        ("<ann@example.com>", False),
        ("<https://x.example>", False),
        ("a<br>b", True),
        ("<B>a</B>", True),
        ("<html-blob>a</html-blob>", True),
        ('<a href="x">y</a>', True),
    ],
)
def test_tags_are_told_from_other_angle_brackets(source, is_html):
    assert looks_like_html(source) is is_html


TRICKY = st.text(alphabet=st.sampled_from("ab  <>&;\n\n\"'/#xbr1.-\u200d\u00a0\u0301\u05d0\U0001f600"), max_size=40)
WORDS = st.text(alphabet="ab <>&\n", max_size=6).map(lambda words: words.replace("<", "&lt;").replace("&", "&amp;"))
PIECES = st.sampled_from(
    [
        *("<b>", "</b>", "<i>", "</i>", "<p>", "</p>", "<br>", "<div>", "</div>", "<ul>", "</ul>", "<li>", "</li>"),
        *("<ol>", "</ol>", '<a href="https://x.example/?a=1&amp;b=2">', "</a>", "<pre>", "</pre>", "<td>", "<tr>"),
        "<!-- c -->",
    ]
)
DOCUMENTS = st.lists(st.one_of(WORDS, PIECES), max_size=20).map("".join)


def as_exchange_keeps_it(markup: str) -> str:
    """HTML as it comes back from Graph."""
    head = "<html>\r\n<head>\r\n<meta charset=utf-8>\r\n</head>\r\n<body>\r\n"
    inner = markup.replace("<br>", "<br>\r\n").replace("\u00a0", "&nbsp;").replace("<b>", "<B>").replace("</b>", "</B>")
    return f"{head}<div>{inner}</div>\r\n</body>\r\n</html>\r\n"


@given(TRICKY)
def test_text_survives_as_html_however_it_is_read(text):
    text = normalised(text)

    assert from_html(to_html(text), keep_line_ends=True) == text
    assert from_html(to_html(text)) == text


@given(TRICKY)
def test_text_survives_what_exchange_makes_of_it(text):
    text = normalised(text)

    assert from_html(as_exchange_keeps_it(to_html(text))) == text


@given(TRICKY)
def test_text_survives_as_a_description_of_google(text):
    assert body_of(description_of(text)).text == normalised(text)


@given(DOCUMENTS, st.sampled_from(["", "\n\n- Ann <ann@example.com>"]))
def test_formatted_text_survives_with_or_without_a_note_below(document, note):
    body = read_html(document)
    text = normalised(f"{body.text}{note}")

    sent = written(text, body.markup)

    assert from_html(as_exchange_keeps_it(sent)) == text
    assert from_html(sent, keep_line_ends=True) == text


@given(DOCUMENTS)
def test_markup_that_travels_is_clean_and_says_the_same(document):
    body = read_html(document)

    assert not body.markup or shows(body.markup, body.text)
    assert read_html(body.markup).markup == body.markup


def test_markup_of_other_words_is_not_used():
    assert written("new", "<b>old</b>") == "new"
    assert written("older", "<b>old</b>") == "older"


@pytest.mark.parametrize("text", ["word " * 3000, "<b>&" * 4000, "\U0001f600" * 9000, "a\u0301" * 9000, "x" * 20000])
def test_a_text_is_shortened_to_what_google_holds(text):
    fitted = GOOGLE.fit(Field.BODY, text, "\n\nnote")

    assert units(description_of(f"{fitted}\n\nnote")) <= 8192
    assert fitted.endswith(LONG_MARK)
    assert len(fitted) > 1500
    assert GOOGLE.fit(Field.BODY, fitted, "\n\nnote") == fitted


def test_a_sign_of_several_parts_is_not_cut_in_two():
    family = "\U0001f469\u200d\U0001f469\u200d\U0001f467"

    assert shortened(family * 3, fits=lambda text: units(text) <= 13, mark="") == family


@pytest.mark.parametrize(("source", "line"), [("a\r\nb\tc", "a b c"), ("a\x00\x1b\ud800", "a"), ("\u200fa", "\u200fa")])
def test_a_title_is_one_line(source, line):
    assert one_line(source) == line


@given(st.text(max_size=60))
def test_the_normal_form_is_stable(text):
    assert normalised(normalised(text)) == normalised(text)
