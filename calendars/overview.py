"""Health at a glance: how many calendars are in which state, by connection and by org unit, and what is in trouble.

What lives here: questions, each within the reach of whoever asks and at a number of queries that does not grow with
the organisation. What does not: working the states out (``health``) and the page itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Case, CharField, Count, F, Max, Min, Q, QuerySet, Value, When
from django.urls import reverse

from accounts.models import Health, LinkedAccount, OrgUnit, TenantConnection
from accounts.models.units import tree_order
from accounts.reach import Viewer, units_reached, visible_to
from accounts.unit_paths import lineage
from calendars.models import HELD_BY_SWITCH, IN_ITS_TURN, Calendar, Operation, OperationState
from calsync.engine.events import Platform

IN_ORDER = (
    Health.ACTION_REQUIRED,
    Health.DELAYED,
    Health.CATCHING_UP,
    Health.IMPORTING,
    Health.HEALTHY,
    Health.WAITING,
    Health.DISABLED,
)
COLOURS = {
    Health.HEALTHY: "success",
    Health.IMPORTING: "info",
    Health.CATCHING_UP: "info",
    Health.DELAYED: "warning",
    Health.ACTION_REQUIRED: "danger",
}
TROUBLED = (Health.ACTION_REQUIRED, Health.DELAYED)
MOST_TROUBLES = 40
PLATFORM_NAMES = {Platform.OUTLOOK.value: "Outlook", Platform.GOOGLE.value: "Google"}

SHOWN_STATE = Case(
    When(account__state=Health.DISABLED, then=Value(Health.DISABLED.value)),
    default=F("state"),
    output_field=CharField(),
)
"""A calendar of a mailbox that takes no part is disabled, whatever it was before."""


@dataclass(frozen=True, slots=True)
class Chip:
    """How many calendars are in one state, and the list that shows them."""

    text: str
    colour: str
    page: str


@dataclass(slots=True)
class Tally:
    """The calendars of one connection, or of one unit with all below it."""

    name: str
    query: str | None = None  # how the list of calendars is told to show just these, where it can be told
    page: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    connection: TenantConnection | None = None

    @property
    def total(self) -> int:
        """How many calendars there are."""
        return self.counts.total()

    @property
    def colour(self) -> str:
        """The theme's name for the colour of the connection's own state."""
        return COLOURS.get(Health(self.connection.state), "") if self.connection else ""

    @property
    def chips(self) -> list[Chip]:
        """The states that occur, the worst first."""
        return [self._chip(state) for state in IN_ORDER if self.counts[state]]

    def _chip(self, state: Health) -> Chip:
        narrowed = f"doing={state}&{self.query}".rstrip("&")
        page = "" if self.query is None else f"{reverse('admin:calendars_calendar_changelist')}?{narrowed}"
        return Chip(f"{self.counts[state]} {state.label}", COLOURS.get(state, ""), page)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One cause: what is concerned by it, since when, why, what helps, and where it is looked at."""

    name: str
    kind: str
    state: Health
    since: datetime
    reason: str
    remedy: str
    last_success_at: datetime | None
    page: str

    @property
    def colour(self) -> str:
        """The theme's name for the state's colour."""
        return COLOURS.get(self.state, "")


def calendars_for(viewer: Viewer) -> QuerySet[Calendar]:
    """The calendars within somebody's reach."""
    return visible_to(Calendar.objects.all(), viewer).order_by()


def count_all(viewer: Viewer) -> Tally:
    """Every calendar within reach."""
    found = Tally("All calendars", "")
    for state, count in (
        calendars_for(viewer).annotate(shown_state=SHOWN_STATE).values_list("shown_state").annotate(Count("pk"))
    ):
        found.counts[state] += count
    return found


def by_connection(viewer: Viewer) -> list[Tally]:
    """One line for each connection that somebody may look at; the calendars of others by platform."""
    known = visible_to(TenantConnection.objects.defer("credentials"), viewer).order_by("platform", "name")
    tallies: dict[int | str, Tally] = {row.pk: _of_connection(row) for row in known}
    counted = (
        calendars_for(viewer)
        .annotate(shown_state=SHOWN_STATE)
        .values_list("account__connection", "account__platform", "shown_state")
    )
    for connection, platform, state, count in counted.annotate(Count("pk")):
        place = connection if connection in tallies else platform
        if place not in tallies:
            tallies[place] = Tally(f"{'Other ' if known else ''}{PLATFORM_NAMES[platform]} mailboxes")
        tallies[place].counts[state] += count
    return sorted(tallies.values(), key=_urgency)


def _urgency(tally: Tally) -> tuple[int, str]:
    """The worst connections first; those without a state of their own last."""
    state = tally.connection.state if tally.connection else ""
    return IN_ORDER.index(Health(state)) if state else len(IN_ORDER), tally.name


def _of_connection(row: TenantConnection) -> Tally:
    page = reverse("admin:accounts_tenantconnection_change", args=[row.pk])
    return Tally(row.name, f"through={row.pk}", page, connection=row)


def by_unit(viewer: Viewer, at: OrgUnit | None = None) -> list[Tally]:
    """One line for each unit right below ``at`` (or at the top of somebody's reach), all below it counted in."""
    reached = units_reached(viewer, "calendars.view_calendar")
    within = reached.filter(parent=at) if at else reached.exclude(parent__in=reached.order_by().values("pk"))
    units = list(within.order_by(tree_order()))
    parents = set(reached.order_by().filter(parent__in=units).values_list("parent", flat=True))
    lines = {unit.path: _of_unit(unit, opens=unit.pk in parents) for unit in units}
    here = Tally(f"Directly in {at}", f"account__person__org_unit__id__exact={at.pk}") if at else Tally("In no unit")
    counted = (
        calendars_for(viewer)
        .annotate(shown_state=SHOWN_STATE)
        .values_list("account__person__org_unit__path", "shown_state")
    )
    for path, state, count in counted.annotate(Count("pk")):
        steps = lineage(path) if path else []
        line = next((lines[step] for step in steps if step in lines), None)
        if line is None and (path == at.path if at else not path):
            line = here
        if line is not None:
            line.counts[state] += count
    return [line for line in [here, *lines.values()] if line.total]


def _of_unit(unit: OrgUnit, *, opens: bool) -> Tally:
    return Tally(unit.path, f"within={unit.pk}", f"?unit={unit.pk}#units" if opens else "")


def troubles(viewer: Viewer) -> tuple[list[Trouble], int]:
    """Connections first, then calendars with one cause together, the worst and longest first; and how many are left."""
    connections = visible_to(TenantConnection.objects.defer("credentials"), viewer)
    lame = connections.filter(state__in=TROUBLED).order_by("state", "state_since", "pk")
    found = [_connection_trouble(row) for row in lame]
    causes = _causes(calendars_for(viewer).filter(is_active=True, account__is_active=True, state__in=TROUBLED))
    room = max(0, MOST_TROUBLES - len(found))
    return [*found, *_calendar_troubles(causes[:room])], max(0, len(causes) - room)


def _connection_trouble(row: TenantConnection) -> Trouble:
    page = reverse("admin:accounts_tenantconnection_change", args=[row.pk])
    return Trouble(
        row.name, "connection", Health(row.state), row.state_since, row.state_reason, row.state_remedy,
        row.last_success_at, page,
    )  # fmt: skip


def _causes(calendars: QuerySet[Calendar]) -> Sequence[Mapping[str, object]]:
    """The remedy says the same for the same cause; the reason may hold a request's number."""
    grouped = calendars.values("state", "state_remedy", "account__connection").annotate(
        many=Count("pk"), since=Min("state_since"), succeeded=Max("last_success_at"), first=Min("pk")
    )
    return list(grouped.order_by("state", "since", "first"))


def _calendar_troubles(causes: Sequence[Mapping[str, object]]) -> list[Trouble]:
    firsts = Calendar.objects.select_related("account").defer("cursor").in_bulk([cause["first"] for cause in causes])
    return [_calendar_trouble(cause, firsts[cause["first"]]) for cause in causes if cause["first"] in firsts]


def _calendar_trouble(cause: Mapping[str, object], first: Calendar) -> Trouble:
    many, connection = cause["many"], cause["account__connection"]
    page = reverse("admin:calendars_calendar_change", args=[first.pk])
    if many != 1:
        shown = f"?state__exact={first.state}" + (f"&through={connection}" if connection else "")
        page = reverse("admin:calendars_calendar_changelist") + shown
    since, succeeded = cause["since"], cause["succeeded"]
    assert isinstance(since, datetime)
    assert succeeded is None or isinstance(succeeded, datetime)
    return Trouble(
        name=str(first) if many == 1 else f"{many} calendars, such as the {first}",
        kind="calendar" if many == 1 else "calendars",
        state=Health(first.state),
        since=since,
        reason=first.state_reason,
        remedy=first.state_remedy,
        last_success_at=succeeded,
        page=page,
    )


def mailboxes_without_calendar(viewer: Viewer) -> int:
    """How many mailboxes in use have no calendar that takes part: mapped, and not activated yet."""
    in_use = visible_to(LinkedAccount.objects.in_use(), viewer)
    return in_use.exclude(Q(pk__in=Calendar.objects.filter(is_active=True).values("account"))).count()


@dataclass(frozen=True, slots=True)
class Backlog:
    """Planned writes that wait because of a switch: it holds them, or they go out in portions since it does not."""

    held: int
    in_turn: int
    last_at: datetime | None


def backlog(viewer: Viewer) -> Backlog:
    """What waits within somebody's reach."""
    waiting = visible_to(Operation.objects.filter(state=OperationState.PLANNED), viewer).order_by()
    of = {code: Count("pk", filter=Q(error_code=code)) for code in (HELD_BY_SWITCH, IN_ITS_TURN)}
    last = Max("due_at", filter=Q(error_code=IN_ITS_TURN))
    found = waiting.aggregate(held=of[HELD_BY_SWITCH], in_turn=of[IN_ITS_TURN], last_at=last)
    return Backlog(found["held"], found["in_turn"], found["last_at"])
