"""$filter: the part of OData that calendars and users need, compiled into a predicate over property paths."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from calsync.simulator.graph.errors import GraphError
from calsync.simulator.graph.fields import extended_key
from calsync.simulator.graph.moments import parse_date_time

Get = Callable[[str], Any]  # property path -> value
Test = Callable[[Get], bool]

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<time>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?|\d{4}-\d\d-\d\d)"
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][\w/.]*)|(?P<mark>[(),:]))"
)
BY_EXTENDED = re.compile(
    r"singleValueExtendedProperties/any\(\s*(\w+)\s*:\s*\1/id\s+eq\s+'((?:[^']|'')*)'\s+and\s+"
    r"\1/value\s+eq\s+'((?:[^']|'')*)'\s*\)",
    re.IGNORECASE,
)
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: bool(a == b),
    "ne": lambda a, b: bool(a != b),
    "gt": lambda a, b: bool(a > b),
    "ge": lambda a, b: bool(a >= b),
    "lt": lambda a, b: bool(a < b),
    "le": lambda a, b: bool(a <= b),
}
FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": lambda whole, part: part in whole,
}


def by_extended_property(text: str) -> tuple[str, str] | None:
    """(property, value) when the whole filter is the documented search for one extended property."""
    found = BY_EXTENDED.fullmatch(text.strip())
    if found is None:
        return None
    return extended_key(found[2].replace("''", "'")), found[3].replace("''", "'")


def compile_filter(text: str) -> Test:
    """The predicate of a $filter; raises GraphError for what cannot be read."""
    reader = _Reader(text)
    test = reader.either()
    reader.expect_end()
    return test


class _Reader:
    """Recursive descent over the tokens: or, and, not, comparison, function, any()."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            found = TOKEN.match(text, at)
            if found is None:
                raise bad_filter()
            self._tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            at = found.end()
        self._at = 0

    def either(self) -> Test:
        tests = [self._both()]
        while self._take_word("or"):
            tests.append(self._both())
        return lambda get: any(test(get) for test in tests)

    def expect_end(self) -> None:
        if self._at != len(self._tokens):
            raise bad_filter()

    def _both(self) -> Test:
        tests = [self._inverted()]
        while self._take_word("and"):
            tests.append(self._inverted())
        return lambda get: all(test(get) for test in tests)

    def _inverted(self) -> Test:
        if not self._take_word("not"):
            return self._single()
        test = self._inverted()
        return lambda get: not test(get)

    def _single(self) -> Test:
        if self._take_mark("("):
            test = self.either()
            self._need(")")
            return test
        path = self._next("word")
        if self._peek() == ("mark", "("):
            return self._any_of(path) if path.lower().endswith("/any") else self._function(path)
        operator = self._next("word").lower()
        if operator == "in":
            return self._one_of(path)
        if operator not in COMPARE:
            raise bad_filter()
        return _comparison(path, operator, self._literal())

    def _function(self, name: str) -> Test:
        call = FUNCTIONS.get(name.lower())
        self._need("(")
        path = self._next("word")
        self._need(",")
        wanted = self._literal()
        self._need(")")
        if call is None or not isinstance(wanted, str):
            raise bad_filter()
        return lambda get: call(str(get(path) or "").lower(), wanted.lower())

    def _any_of(self, path: str) -> Test:
        owner = path[: -len("/any")]
        self._need("(")
        name = self._next("word")
        self._need(":")
        test = self.either()
        self._need(")")

        def over_elements(get: Get) -> bool:
            return any(test(partial(_inside, one, name)) for one in get(owner) or ())

        return over_elements

    def _one_of(self, path: str) -> Test:
        self._need("(")
        allowed = [self._literal()]
        while self._take_mark(","):
            allowed.append(self._literal())
        self._need(")")
        tests = [_comparison(path, "eq", value) for value in allowed]
        return lambda get: any(test(get) for test in tests)

    def _literal(self) -> Any:
        kind, text = self._peek() or ("", "")
        self._at += 1
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text)
        if kind == "time" and (parsed := parse_date_time(text)) is not None:
            return _aware(parsed)
        if kind == "word" and text in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[text]
        raise bad_filter()

    def _peek(self) -> tuple[str, str] | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self, kind: str) -> str:
        found = self._peek()
        if found is None or found[0] != kind:
            raise bad_filter()
        self._at += 1
        return found[1]

    def _take_word(self, word: str) -> bool:
        found = self._peek()
        taken = found is not None and found[0] == "word" and found[1].lower() == word
        self._at += taken
        return taken

    def _take_mark(self, mark: str) -> bool:
        taken = self._peek() == ("mark", mark)
        self._at += taken
        return taken

    def _need(self, mark: str) -> None:
        if not self._take_mark(mark):
            raise bad_filter()


def bad_filter() -> GraphError:
    """400 for a filter that cannot be read or applied."""
    return GraphError(400, "BadRequest", "Invalid filter clause.")


def _comparison(path: str, operator: str, wanted: Any) -> Test:
    compare = COMPARE[operator]

    def test(get: Get) -> bool:
        found = get(path)
        if path.endswith("/id") and isinstance(found, str) and " " in found and isinstance(wanted, str):
            return compare(extended_key(found), extended_key(wanted))
        try:
            return compare(*_alike(found, wanted))
        except TypeError:
            return operator == "ne"

    return test


def _alike(found: Any, wanted: Any) -> tuple[Any, Any]:
    """Make both sides comparable: times as instants (UTC where no offset is given), texts without case."""
    if isinstance(found, str) and isinstance(wanted, datetime):
        parsed = parse_date_time(found)
        return (_aware(parsed), wanted) if parsed is not None else (found, None)
    if isinstance(found, str) and isinstance(wanted, str):
        times = parse_date_time(found), parse_date_time(wanted)
        if times[0] is not None and times[1] is not None:
            return _aware(times[0]), _aware(times[1])
        return found.lower(), wanted.lower()
    return found, wanted


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _inside(element: Any, name: str, path: str) -> Any:
    words = path.split("/")
    if words[0] != name:
        raise bad_filter()
    return walk(element, words[1:])


def walk(value: Any, words: list[str]) -> Any:
    """Follow a property path into nested objects; None where it ends early."""
    for word in words:
        value = value.get(word) if isinstance(value, dict) else None
    return value
