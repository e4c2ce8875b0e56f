"""Bytes of a CSV file to records with their line numbers.

What lives here: encodings, separators, quoting, the header. What does not: what a column means.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

COLUMNS = (
    "email",
    "name",
    "org_unit",
    "time_zone",
    "clearance",
    "manager",
    "outlook_mailbox",
    "google_mailbox",
)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_SEPARATORS = ",;\t"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong in the file. ``line`` counts from 1; a field with line breaks belongs to its first line."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the file: its line, and its cells by column, blanks around them removed."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds. ``lost_rows`` says that some rows could not be told apart and are missing from ``records``."""

    records: tuple[Record, ...]
    problems: tuple[Problem, ...]
    lost_rows: bool = False


def read_records(data: bytes) -> Reading:
    """Read a whole file; never raises for what is in it.

    UTF-8 with or without a BOM, line ends of any system, and comma, semicolon or tab (as spreadsheet programs write
    them, depending on the country) are accepted.
    """
    if data.startswith(_UTF16_MARKS):
        return _unreadable(1, "the file is UTF-16; save it as CSV in UTF-8")
    problems = _bad_bytes(data)
    text = data.decode("utf-8-sig", errors="replace").replace("\0", "")
    rows = list(_rows(text))
    header = next((row for row in rows if isinstance(row, Row)), None)
    if header is None:
        return Reading((), tuple(problems + _broken(rows) or [Problem(1, "the file is empty")]))
    problems += _broken(rows)
    columns = [cell.strip().lower() for cell in header.cells]
    header_problems, usable = _check_header(header.line, columns)
    if not usable:
        return Reading((), tuple(problems + header_problems), lost_rows=True)
    return _records(columns, rows[rows.index(header) + 1 :], header.line, problems + header_problems)


@dataclass(frozen=True, slots=True)
class Row:
    """Cells of one row, not yet put under their columns."""

    line: int
    cells: list[str]


def _unreadable(line: int, text: str) -> Reading:
    return Reading((), (Problem(line, text),), lost_rows=True)


def _bad_bytes(data: bytes) -> list[Problem]:
    """Lines that are not UTF-8 or hold a NUL. A line feed is never part of a longer UTF-8 sequence."""
    if b"\0" not in data and _is_utf8(data):
        return []
    lines = enumerate(data.split(b"\n"), start=1)
    return [Problem(number, fault) for number, line in lines for fault in _faults_of(line)]


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _faults_of(line: bytes) -> Iterator[str]:
    if b"\0" in line:
        yield "the line holds a NUL byte; the file may be damaged or UTF-16"
    try:
        line.decode()
    except UnicodeDecodeError as error:
        yield f"byte 0x{line[error.start]:02X} is not UTF-8; save the file as CSV in UTF-8"


def _rows(text: str) -> Iterator[Row | Problem]:
    """Rows that are not blank, and a Problem in place of what cannot be read as one."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Problem(line, _quote_fault(line, reader.line_num))
            continue
        if any(cell.strip() for cell in cells):
            yield Row(line, cells)


def _separator(text: str) -> str:
    """The separator that the header uses most; a comma when it uses none."""
    header = text.lstrip().partition("\n")[0]
    return max(_SEPARATORS, key=header.count)


def _quote_fault(first: int, last: int) -> str:
    if first == last:
        return 'a quotation mark is out of place; write "" for one inside a quoted field'
    return f"a quotation mark is opened here and not closed properly (read as one row up to line {last})"


def _broken(rows: list[Row | Problem]) -> list[Problem]:
    return [row for row in rows if isinstance(row, Problem)]


def _check_header(line: int, columns: list[str]) -> tuple[list[Problem], bool]:
    """Problems of the header, and whether the rows can be read all the same."""
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    unknown = [column for column in columns if column not in COLUMNS]
    missing = [column for column in COLUMNS if column not in columns]
    problems = [Problem(line, f"the column {column!r} appears twice") for column in twice]
    problems += [Problem(line, _unknown_column(column)) for column in unknown]
    problems += [Problem(line, f"the column {column!r} is missing") for column in missing]
    return problems, not (twice or missing)


def _unknown_column(column: str) -> str:
    if not column:
        return "a column has no name"
    close = get_close_matches(column, COLUMNS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"the columns are {', '.join(COLUMNS)}"
    return f"unknown column {column[:60]!r}; {hint}"


def _records(columns: list[str], rows: list[Row | Problem], header_line: int, problems: list[Problem]) -> Reading:
    records: list[Record] = []
    lost = False
    for row in rows:
        if isinstance(row, Problem):
            lost = True
        elif len(row.cells) != len(columns):
            problems.append(Problem(row.line, _ragged(len(row.cells), len(columns))))
            lost = True
        else:
            cells = zip(columns, row.cells, strict=True)
            records.append(Record(row.line, {column: cell.strip() for column, cell in cells}))
    if not rows:
        problems.append(Problem(header_line, "there are no people below the header"))
    return Reading(tuple(records), tuple(problems), lost_rows=lost)


def _ragged(found: int, expected: int) -> str:
    fields = "1 field" if found == 1 else f"{found} fields"
    hint = "; quote a field that holds the separator" if found > expected else ""
    return f"{fields} where {expected} are expected{hint}"
