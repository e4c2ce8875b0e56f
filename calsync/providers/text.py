"""Body text in its normal form, and HTML turned into it.

What lives here: the one reading of bodies that both adapters share, so that the same words compare equal whichever
platform they come from, however its server rewrites line ends, blanks or HTML around them. What does not: field names.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_LINES = frozenset(
    {"address", "article", "blockquote", "center", "dd", "div", "dl", "dt", "footer", "form", "header", "hr", "li"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "main", "nav", "ol", "pre", "section", "table", "tr", "ul"}
)
_UNSEEN = frozenset({"head", "script", "style", "title"})

_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad\x00]")
_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LINE_ENDS = re.compile("\r\n|[\r\u2028\u2029]")
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|blockquote|body|br|code|div|em|font|h[1-6]|head|hr|html|i|img|li|meta|ol|p|pre|s|small|span|"
    r"strike|strong|style|sub|sup|table|tbody|td|th|thead|tr|tt|u|ul)(?:\s[^<>]*)?/?>|<!--",
    re.IGNORECASE,
)


def normalised(text: str) -> str:
    """Plain text with LF line ends and ordinary blanks, none of them trailing, at most one empty line in a row."""
    text = _BLANKS.sub(" ", _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text)))
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def looks_like_html(text: str) -> bool:
    """Whether ``text`` holds a tag that calendars use (``a < b`` and ``<someone@example.com>`` are not tags)."""
    return _TAG.search(text) is not None


def from_html(markup: str, *, keep_line_ends: bool = False) -> str:
    """The text that a reader of the HTML would see, in normal form; a link keeps its address unless the text shows it.

    ``keep_line_ends`` keeps line ends and blanks of the source (Google shows them so); HTML itself folds them.
    """
    reader = _Reader(keep_line_ends=keep_line_ends)
    reader.feed(_LINE_ENDS.sub("\n", markup))
    reader.close()
    return normalised("".join(reader.pieces))


def to_html(text: str) -> str:
    """``text`` (normal form) as HTML that ``from_html`` reads back unchanged."""
    return html.escape(text, quote=False).replace("  ", " \u00a0").replace("\n", "<br>")


class _Reader(HTMLParser):
    """Collects text; blanks fold as in a browser, blocks and breaks become line ends."""

    def __init__(self, *, keep_line_ends: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._keep = keep_line_ends
        self._unseen = 0
        self._verbatim = 0
        self._links: list[tuple[str, int]] = []  # address, number of pieces before its text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        self._verbatim += tag == "pre"
        if tag == "br":
            self.pieces.append("\n")
        elif tag in {"td", "th"}:
            self._blank()
        elif tag in _LINES or tag == "p":
            self._break_line()
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self.pieces)))

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        self._verbatim = max(0, self._verbatim - (tag == "pre"))
        if tag == "p":
            self._break_line()
            self.pieces.append("\n")
        elif tag in _LINES:
            self._break_line()
        elif tag == "a" and self._links:
            self._end_link(*self._links.pop())

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        if not (self._verbatim or self._keep):
            data = re.sub(r"[ \t\n\f]+", " ", data)
            if not self.pieces or self.pieces[-1].endswith(("\n", " ")):
                data = data.lstrip(" ")
        if data:
            self.pieces.append(data)

    def _end_link(self, address: str, since: int) -> None:
        shown = "".join(self.pieces[since:])
        if address.startswith(("http://", "https://")) and address.rstrip("/") not in shown:
            self.pieces.append(f" <{address}>" if shown.strip() else f"<{address}>")

    def _blank(self) -> None:
        if self.pieces and not self.pieces[-1].endswith((" ", "\n")):
            self.pieces.append(" ")

    def _break_line(self) -> None:
        if self.pieces and not self.pieces[-1].endswith("\n"):
            self.pieces.append("\n")
