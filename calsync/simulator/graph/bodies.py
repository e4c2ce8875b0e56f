"""Event bodies: whatever is written comes back as HTML, or as plain text when the request prefers it."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Any

from calsync.simulator.graph.errors import Json, unreadable_body

META = '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
BREAKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3"})


def read_body(value: Any) -> str:
    """An itemBody of a request as the HTML that is stored; '' when it is null or empty."""
    if value is None:
        return ""
    if not isinstance(value, dict):
        raise unreadable_body("Cannot read the value of 'body'.")
    kind, content = str(value.get("contentType") or "text").lower(), value.get("content") or ""
    if kind not in ("text", "html") or not isinstance(content, str):
        raise unreadable_body("Requested value of 'contentType' was not found.")
    if not content:
        return ""
    return _wrapped(_harmless(content) if kind == "html" else _as_html(content))


def written_body(stored: str, *, as_text: bool) -> Json:
    """The itemBody of an answer."""
    if as_text:
        return {"contentType": "text", "content": plain_text(stored)}
    return {"contentType": "html", "content": stored}


def preview(stored: str) -> str:
    """The first 255 characters of the text."""
    return plain_text(stored).strip()[:255]


def _as_html(text: str) -> str:
    lines = html.escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br>\r\n")
    return f'<div class="PlainText">{lines}</div>'


def _harmless(content: str) -> str:
    """HTML as Exchange keeps it: scripts and handlers are gone, breaks stand on lines of their own."""
    content = re.sub(r"<script\b.*?</script\s*>", "", content, flags=re.IGNORECASE | re.DOTALL)
    content = re.sub(r"(<[^<>]*?)\son\w+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>]+)", r"\1", content, flags=re.IGNORECASE)
    return re.sub(r"<br\s*/?>(?!\s)", "<br>\r\n", content, flags=re.IGNORECASE).replace("\u00a0", "&nbsp;")


def _wrapped(content: str) -> str:
    if re.search(r"<html[\s>]", content, re.IGNORECASE):
        return content if META in content else _with_meta(content)
    return f"<html>\r\n<head>\r\n{META}\r\n</head>\r\n<body>\r\n{content}\r\n</body>\r\n</html>\r\n"


def _with_meta(content: str) -> str:
    if re.search(r"<head[\s>]", content, re.IGNORECASE):
        return re.sub(r"(<head[^>]*>)", rf"\1{META}", content, count=1, flags=re.IGNORECASE)
    return re.sub(r"(<html[^>]*>)", rf"\1\r\n<head>\r\n{META}\r\n</head>", content, count=1, flags=re.IGNORECASE)


class _Text(HTMLParser):
    """Collects the text of the body, with line ends where blocks end."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        """A line break, or the beginning of something that is no text."""
        if tag in ("head", "style", "script"):
            self._hidden += 1
        elif tag == "br":
            self.parts.append("\r\n")

    def handle_endtag(self, tag: str) -> None:
        """The end of a block ends the line."""
        if tag in ("head", "style", "script"):
            self._hidden -= 1
        elif tag in BREAKS and tag != "br":
            self.parts.append("\r\n")

    def handle_data(self, data: str) -> None:
        """Text; line ends of the source are no line ends of the text."""
        if not self._hidden:
            self.parts.append(re.sub(r"\s*[\r\n]+\s*", "", data))


def plain_text(stored: str) -> str:
    """The text of a stored body."""
    if not stored:
        return ""
    parser = _Text()
    parser.feed(stored)
    parser.close()
    return "".join(parser.parts)
