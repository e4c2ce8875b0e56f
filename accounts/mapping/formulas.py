"""Cells that a spreadsheet program would run as a formula: how they are written, and how they are read again.

A cell that begins with one of these characters gets an apostrophe in front, which such programs take as "this is text".
Reading takes exactly one away, so that what was written comes back as it was. An apostrophe before anything else, as
in 't Hooft, is part of the name.
"""

from __future__ import annotations

import re

_STARTS = r"[=+\-@\t\r\n|%\uff1d\uff0b\uff0d\uff20]"  # the last four are the first four in full width
_FORMULA = re.compile(rf"'*{_STARTS}")
_WRITTEN = re.compile(rf"'+{_STARTS}")


def as_text(cell: str) -> str:
    """The cell as it is written."""
    return "'" + cell if _FORMULA.match(cell) else cell


def as_meant(cell: str) -> str:
    """The cell as it was before ``as_text``."""
    return cell[1:] if _WRITTEN.match(cell) else cell
