"""Text in its normal form: the one reading of titles, places and bodies that both adapters share.

The same words compare equal whichever platform they come from, however its server rewrites line ends and blanks.
What lives here: plain text, and cutting it to a length. What does not: HTML (``markup``), field names.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_BLANKS = re.compile("[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
# Half a surrogate pair, and signs that no screen shows. Joiners stay: emoji and Persian are written with them.
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ud800-\udfff\ufeff]")
_JOINED = re.compile("[\u0300-\u036f\u200c\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")

MARK = "\u2026"
"""Stands where a text was cut."""
LONG_MARK = f"\n\n[{MARK}] (shortened by CalSync; the whole text stands in the other calendar)"


def normalised(text: str) -> str:
    """Plain text with LF line ends and ordinary blanks, none of them trailing, at most one empty line in a row."""
    text = _BLANKS.sub(" ", _UNWANTED.sub("", _LINE_ENDS.sub("\n", text)))
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def one_line(text: str) -> str:
    """A title or place: line ends and tabs are blanks, signs that no screen shows are gone."""
    return _UNWANTED.sub("", re.sub(r"[\n\t]+", " ", _LINE_ENDS.sub("\n", text)))


def units(text: str) -> int:
    """The length as both platforms count it: UTF-16 units."""
    return len(text) + sum(ord(sign) > 0xFFFF for sign in text)


def shortened(text: str, *, fits: Callable[[str], bool], mark: str = MARK) -> str:
    """``text`` if it fits, else as much of its beginning as fits together with ``mark``, cut where a word ends."""
    if fits(text):
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(text[:middle] + mark) else (low, middle - 1)
    return _cut(text, low) + mark


def _cut(text: str, at: int) -> str:
    """The first ``at`` signs or somewhat fewer: never within a word of usual length, nor within one visible sign."""
    word_end = max(text.rfind(" ", 0, at + 1), text.rfind("\n", 0, at + 1))
    if word_end > at - 60 and word_end > 0:
        return text[:word_end].rstrip()
    while 0 < at < len(text) and (_JOINED.match(text[at]) or text[at - 1] == "\u200d"):
        at -= 1
    return text[:at].rstrip()
