"""Bodies in normal form, whichever platform they come from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync.providers.markup import from_html, looks_like_html, to_html
from calsync.providers.text import normalised


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a \t\nb\u00a0c\u200b", "a\nb c"),
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
        ('<a href="x">y</a>', True),
    ],
)
def test_tags_are_told_from_other_angle_brackets(source, is_html):
    assert looks_like_html(source) is is_html


@given(st.text(alphabet=st.sampled_from("ab <>&;\n\"'/#xbr"), max_size=40))
def test_text_survives_as_html(text):
    text = normalised(text)

    assert from_html(to_html(text), keep_line_ends=True) == text


@given(st.text(max_size=60))
def test_the_normal_form_is_stable(text):
    assert normalised(normalised(text)) == normalised(text)
