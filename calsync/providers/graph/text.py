"""Body text in normal form: plain text that stays equal when a server rewrites line ends, blanks or HTML around it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

LINES = frozenset({"div", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "table", "ul", "ol", "blockquote"})
UNSEEN = frozenset({"head", "style", "script", "title"})


def normalised(text: str) -> str:
    """Plain text with ``\\n`` line ends, ordinary blanks, none of them trailing, and no blank lines around it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ").replace("\ufeff", "")
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def from_html(markup: str) -> str:
    """The text that a reader of the HTML would see, in normal form."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return re.sub(r"\n{3,}", "\n\n", normalised("".join(reader.pieces)))


class _Reader(HTMLParser):
    """Collects text; blanks fold as in a browser, blocks and breaks become line ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = 0
        self._verbatim = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - as the parser calls it
        self._unseen += tag in UNSEEN
        self._verbatim += tag == "pre"
        if tag == "br":
            self.pieces.append("\n")
        elif tag in LINES or tag == "p":
            self._break_line()

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in UNSEEN))
        self._verbatim = max(0, self._verbatim - (tag == "pre"))
        if tag == "p":
            self._break_line()
            self.pieces.append("\n")
        elif tag in LINES:
            self._break_line()

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        if not self._verbatim:
            data = re.sub(r"[ \t\r\n\f]+", " ", data)
            if self._at_line_start():
                data = data.lstrip(" ")
        if data:
            self.pieces.append(data)

    def _at_line_start(self) -> bool:
        return not self.pieces or self.pieces[-1].endswith(("\n", " "))

    def _break_line(self) -> None:
        if self.pieces and not self.pieces[-1].endswith("\n"):
            self.pieces.append("\n")
