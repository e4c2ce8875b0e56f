"""HTML bodies: read as text and as clean markup, and written so that the text comes out again.

What lives here: sanitising (nh3), the text that a reader of the HTML would see, and the little markup that travels
from side to side: bold, italic, underlined and struck-out words and links. What does not: field names, plain text.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from html.parser import HTMLParser

import nh3

from calsync.providers.text import normalised, units

INLINE = {"b": "b", "strong": "b", "i": "i", "em": "i", "u": "u", "ins": "u", "s": "s", "strike": "s", "del": "s"}
"""The formatting that both platforms show, and its one spelling."""
LINES = frozenset(
    {"address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "figure", "footer", "header", "hr"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tr", "ul"}
)
CELLS = frozenset({"td", "th"})
LONGEST = 60_000
"""Signs of markup worth keeping; beyond it a body travels as plain text."""

_TAGS = {*INLINE, *LINES, *CELLS, "a", "br"}
_UNSEEN = {"script", "style", "title", "template", "textarea", "select", "object", "svg", "math", "noscript"}
_SCHEMES = {"http", "https", "mailto", "tel"}
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|blockquote|body|br|code|div|em|font|h[1-6]|head|hr|html|html-blob|i|img|ins|li|meta|ol|p|"
    r"pre|s|small|span|strike|strong|style|sub|sup|table|tbody|td|th|thead|tr|tt|u|ul)(?:\s[^<>]*)?/?>|<!--",
    re.IGNORECASE,
)
_FORMATTED = re.compile("<[abius][ >]")
_NO_TAG = re.compile(r"<(?=(?:[^<>\s@]+@|[a-z][a-z0-9+.-]*://)[^<>\s]*>)", re.IGNORECASE)
"""``<ann@example.com>`` and ``<https://...>`` are words, though a parser of HTML takes them for tags."""


@dataclass(frozen=True, slots=True)
class Body:
    """A body as normalised ``text``; ``markup`` is the same with its formatting, '' when it has none."""

    text: str
    markup: str = ""


def looks_like_html(text: str) -> bool:
    """Whether ``text`` holds a tag that calendars use (``a < b`` and ``<someone@example.com>`` are not tags)."""
    return _TAG.search(text) is not None


def read_html(source: str, *, keep_line_ends: bool = False) -> Body:
    """What a reader of the HTML would see; a link keeps its address unless its words show it.

    ``keep_line_ends`` keeps line ends and blanks of the source (Google shows them so); HTML itself folds them.
    """
    seen = _seen(source, keep_line_ends=keep_line_ends)
    text, markup = normalised("".join(seen.words)), _tidied("".join(seen.marked))
    return Body(text, markup if _FORMATTED.search(markup) and shows(markup, text) else "")


def from_html(source: str, *, keep_line_ends: bool = False) -> str:
    """The text alone of ``read_html``."""
    return normalised("".join(_seen(source, keep_line_ends=keep_line_ends).words))


def to_html(text: str) -> str:
    """``text`` (normal form) as HTML that ``from_html`` reads back unchanged, line ends kept or not."""
    return "<br>".join(_escaped(line, begins=True) for line in text.split("\n"))


def written(text: str, markup: str) -> str:
    """``text`` as HTML with the formatting of ``markup``, as far as that belongs to this very text.

    What stands below the formatted words (a guest list) is added plainly.
    """
    if not markup:
        return to_html(text)
    shown = from_html(markup)
    below = text[len(shown) :]
    whole = markup + to_html(below)
    belongs = text.startswith(shown) and (not below or below.startswith("\n"))
    return whole if belongs and shows(whole, text) else to_html(text)


def shows(markup: str, text: str) -> bool:
    """Whether ``markup`` is read as just ``text``, by either platform's reading."""
    if units(markup) > LONGEST:
        return False
    return from_html(markup) == text and from_html(markup, keep_line_ends=True) == text


def _seen(source: str, *, keep_line_ends: bool) -> _Reader:
    clean = nh3.clean(
        _NO_TAG.sub("&lt;", source),
        tags=_TAGS,
        clean_content_tags=_UNSEEN,
        attributes={"a": {"href"}},
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    reader = _Reader(keep_line_ends=keep_line_ends)
    reader.feed(clean)
    reader.close()
    return reader


def _escaped(text: str, *, begins: bool) -> str:
    """One line of text; blanks that HTML would fold are written as ones that stay."""
    text = html.escape(text, quote=False).replace("  ", " \u00a0")
    return f"\u00a0{text[1:]}" if begins and text.startswith(" ") else text


def _tidied(markup: str) -> str:
    """Markup without line ends at its edges and without formatting of nothing."""
    before = ""
    while before != markup:
        before = markup
        markup = re.sub(r"<([bius])></\1>", "", markup)
        markup = re.sub(r"^(?:<br>| )+|(?:<br>| )+$", "", markup)
        markup = re.sub(r"(?: |\u00a0)+(<br>)|(?:<br>){3,}", lambda found: found[1] or "<br><br>", markup)
    return markup


class _Reader(HTMLParser):
    """Collects the words of clean HTML, and the same with what formatting travels.

    Blanks fold as in a browser; blocks and breaks become line ends, items of lists get a dash or their number.
    """

    def __init__(self, *, keep_line_ends: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.marked: list[str] = []
        self._keep = keep_line_ends
        self._verbatim = 0
        self._lists: list[int | None] = []  # of each open list the number of its last item; None without numbers
        self._links: list[tuple[str, int]] = []  # address, number of pieces before its words

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._verbatim += tag == "pre"
        if tag == "br":
            self._put("\n")
        elif tag in CELLS:
            self._blank()
        elif tag in LINES:
            self._break_line()
            self._begin_block(tag)
        elif tag == "a":
            self._begin_link(dict(attrs).get("href") or "")
        elif tag in INLINE:
            self.marked.append(f"<{INLINE[tag]}>")

    def handle_endtag(self, tag: str) -> None:
        self._verbatim = max(0, self._verbatim - (tag == "pre"))
        if tag in {"ol", "ul"} and self._lists:
            self._lists.pop()
        if tag in LINES:
            self._break_line()
        if tag == "p":
            self._put("\n")
        elif tag == "a" and self._links:
            self._end_link(*self._links.pop())
        elif tag in INLINE:
            self.marked.append(f"</{INLINE[tag]}>")

    def handle_data(self, data: str) -> None:
        if not (self._verbatim or self._keep):
            data = re.sub(r"[ \t\n\f]+", " ", data)
            if not self.words or self.words[-1].endswith(("\n", " ")):
                data = data.lstrip(" ")
        if data:
            self._put(data)

    def _put(self, words: str) -> None:
        first, *lines = words.split("\n")
        begins = not self.words or self.words[-1].endswith("\n")
        escaped = [_escaped(first, begins=begins), *(_escaped(line, begins=True) for line in lines)]
        self.words.append(words)
        self.marked.append("<br>".join(escaped))

    def _begin_block(self, tag: str) -> None:
        if tag in {"ol", "ul"}:
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._begin_item()

    def _begin_item(self) -> None:
        last = self._lists[-1] if self._lists else None
        if last is not None:
            self._lists[-1] = last + 1
        bullet = "- " if last is None else f"{last + 1}. "
        self._put("  " * (len(self._lists) - 1) + bullet)

    def _begin_link(self, address: str) -> None:
        self._links.append((address, len(self.words)))
        if address:
            self.marked.append(f'<a href="{html.escape(address)}">')

    def _end_link(self, address: str, since: int) -> None:
        shown = "".join(self.words[since:])
        is_hidden = address.startswith(("http://", "https://")) and address.rstrip("/") not in shown
        if is_hidden and not shown.strip():
            self._put(address)
        if address:
            self.marked.append("</a>")
        if is_hidden and shown.strip():
            self.words.append(f" <{address}>")

    def _blank(self) -> None:
        if self.words and not self.words[-1].endswith((" ", "\n")):
            self._put(" ")

    def _break_line(self) -> None:
        if self.words and not self.words[-1].endswith("\n"):
            self._put("\n")
