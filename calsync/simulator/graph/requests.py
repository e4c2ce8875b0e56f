"""One Graph request as handlers see it (outer ones and parts of a batch alike), its query options, and the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlencode

from calsync.simulator.graph.errors import GraphError, Json, bad_request
from calsync.simulator.graph.moments import parse_date_time
from calsync.simulator.graph.prefer import Prefer, read_prefer

T = TypeVar("T")
METADATA = "https://graph.microsoft.com/v1.0/$metadata#"
DEFAULT_PAGE = 10
MAX_PAGE = 1000
LONGEST_VIEW = timedelta(days=1825)
NO_WINDOW = (
    "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime."
)


@dataclass(slots=True)
class Reply:
    """An answer. ``body`` None sends none."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class GraphRequest:
    """``url`` is path and query from ``/v1.0`` on; ``base`` the scheme and host the client used.

    The names in ``headers`` are lower-case. ``app`` is the client id that the access token was issued to, ``user``
    the person it acts as ('' with application permissions).
    """

    method: str
    url: str
    base: str
    headers: dict[str, str]
    body: Any = None
    app: str = ""
    user: str = ""
    path: list[str] = field(init=False)
    query: list[tuple[str, str]] = field(init=False)
    prefer: Prefer = field(init=False)

    def __post_init__(self) -> None:
        path, _, query = self.url.partition("?")
        self.path = [unquote(word) for word in path.split("/")[2:] if word]
        self.query = parse_qsl(query, keep_blank_values=True) if query else []
        self.prefer = read_prefer(self.headers.get("prefer", ""))

    def option(self, name: str) -> str | None:
        """A query option; names are case-insensitive."""
        wanted = name.lower()
        return next((value for key, value in self.query if key.lower() == wanted), None)

    def options(self) -> set[str]:
        """The names of all query options, lower-case."""
        return {key.lower() for key, _ in self.query}

    def number(self, name: str, default: int, high: int) -> int:
        """A numeric option such as $top."""
        text = self.option(name)
        if text is None:
            return default
        if not text.isdigit() or (name == "$top" and not 0 < int(text) <= high):
            raise bad_request(f"Invalid value '{text}' for {name}.", "ErrorInvalidUrlQuery")
        return int(text)

    def names(self, option: str) -> list[str]:
        """The comma list of $select."""
        return [name.strip() for name in (self.option(option) or "").split(",") if name.strip()]

    def link(self, **replaced: str) -> str:
        """This request's absolute URL with some options replaced (an option's ``$`` is written ``_`` here)."""
        changed = {key.replace("_", "$", 1): value for key, value in replaced.items()}
        query = [(key, value) for key, value in self.query if key.lower() not in changed] + list(changed.items())
        text = urlencode(query, quote_via=quote, safe="$'(),:/")
        return f"{self.base}{self.url.partition('?')[0]}?{text}"

    def window(self) -> tuple[datetime, datetime]:
        """startDateTime and endDateTime as naive UTC; both are required, and UTC counts where no offset is given."""
        start, end = self._bound("startDateTime"), self._bound("endDateTime")
        if end < start:
            raise bad_request("EndDateTime must be later than StartDateTime.", "ErrorInvalidParameter")
        if end - start > LONGEST_VIEW:
            raise GraphError(400, "ErrorCalendarViewRangeTooBig", "The calendar view range is too big.")
        return start, end

    def _bound(self, name: str) -> datetime:
        text = self.option(name)
        if not text:
            raise bad_request(NO_WINDOW, "ErrorInvalidParameter")
        parsed = parse_date_time(text)
        if parsed is None:
            raise bad_request(f"The value '{text}' of {name} is not a date and time.", "ErrorInvalidParameter")
        return parsed.astimezone(UTC).replace(tzinfo=None) if parsed.tzinfo else parsed


def paged(request: GraphRequest, items: Sequence[T], render: Callable[[T], Json], *, context: str) -> Reply:
    """One page of a collection: $top or the preferred page size (default 10), $skip, absolute nextLink, $count."""
    size = request.number("$top", request.prefer.page_size or DEFAULT_PAGE, MAX_PAGE)
    skip = request.number("$skip", 0, 0)
    body: Json = {"@odata.context": METADATA + context}
    if (request.option("$count") or "").lower() == "true":
        body["@odata.count"] = len(items)
    body["value"] = [render(item) for item in items[skip : skip + size]]
    if skip + size < len(items):
        body["@odata.nextLink"] = request.link(_skip=str(skip + size))
    return Reply(200, body)


def split_top(text: str) -> list[str]:
    """Split at commas outside parentheses and quotes, as in $expand."""
    parts, depth, quoted, current = [], 0, False, ""
    for char in text:
        quoted ^= char == "'"
        depth += 0 if quoted else (char == "(") - (char == ")")
        if char == "," and not depth and not quoted:
            parts.append(current)
            current = ""
        else:
            current += char
    return [part.strip() for part in [*parts, current] if part.strip()]
