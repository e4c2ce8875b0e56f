"""Where an event stands, calendar by calendar, and why not where it does not, with what helps.

What lives here: the reasons, most telling first. What does not: reading rows (``scene``), history (``story``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Health
from calendars import rows
from calendars.explain.rules import Told, tell_treatment, tell_withheld
from calendars.explain.scene import Scene
from calendars.models import Calendar, Link, LinkState, Operation, OperationState
from calendars.models.work import OPEN_STATES
from calendars.sync.doors import SWITCH_ON
from calsync.engine import masking
from calsync.engine.findings import named
from calsync.engine.parts import is_split
from calsync.engine.policy import Role
from calsync.engine.treatment import Passage
from calsync.engine.wanted import may_create, may_write, pending

IN_STEP, BEHIND, MISSING, HELD, NOT_WANTED = "in step", "behind", "missing", "held", "not wanted"

UNFINISHED = (*OPEN_STATES, OperationState.PARKED)
FEW = 3  # parts whose waiting is told; each of them can be explained alone

Clock = Callable[[datetime], str]
"""A moment in the reader's zone."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an event does not stand (or is not up to date) somewhere: a code for tools, a sentence, and what helps."""

    code: str
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class PlaceStory:
    """One calendar as the event sees it."""

    calendar: Calendar | None  # None: the side on which its owner has no mailbox
    name: str
    role: str
    state: str
    reasons: tuple[Reason, ...]


def tell_places(scene: Scene, told: Clock) -> list[PlaceStory]:
    """Every calendar in which the event stands or could stand."""
    stories = [_tell(scene, calendar, told) for calendar in scene.calendars.values()]
    platforms = {calendar.account.platform for calendar in scene.calendars.values()}
    if len(platforms) == 1:
        reason = Reason(
            "no_mailbox",
            f"{scene.event.owner} has a mailbox on one platform only: there is no other side.",
            "Map the other mailbox: manage.py map_org_units FILE.csv",
        )
        stories.append(PlaceStory(None, "the other side", "", MISSING, (reason,)))
    return stories


def _tell(scene: Scene, calendar: Calendar, told: Clock) -> PlaceStory:
    link = scene.standing(calendar)
    if link is not None and not link.remote_id and scene.event.deleted_at is None and _is_held(link):
        state, reasons = HELD, _told(tell_treatment(link))
    elif link is None:
        state, reasons = _absent(scene, calendar, told)
    elif not link.remote_id and scene.event.deleted_at is None and is_split(scene.hub, scene.traits(calendar)):
        state, reasons = _in_parts(scene, calendar, told)
    elif not link.remote_id:
        state = MISSING if scene.event.deleted_at is None else NOT_WANTED
        reasons = [*_deleted(scene), *_work(scene, calendar, link, told)]
    else:
        state, reasons = _present(scene, calendar, link, told)
    unsettled = state in (MISSING, BEHIND)
    reasons += list(_calendar(scene, calendar, told, noticing=not unsettled))
    if state == MISSING and not reasons:
        reasons = [
            Reason(
                "not_planned",
                "Nothing stands in the way and no copy is planned: the next complete read looks again.",
                f"manage.py audit --person {scene.event.owner} --repair",
            )
        ]
    role = link.role if link is not None else ""
    return PlaceStory(calendar, str(calendar), role, state, tuple(dict.fromkeys(reasons)))


# --- it does not stand there ------------------------------------------------------------------------------


def _absent(scene: Scene, calendar: Calendar, told: Clock) -> tuple[str, list[Reason]]:
    if deleted := list(_deleted(scene)):
        return NOT_WANTED, deleted
    if scene.event.whole_id is not None:
        return NOT_WANTED, [Reason("part", "It is a part, made for another calendar.")]
    link = scene.links.get(calendar.pk)
    if link is not None and link.withheld:
        return NOT_WANTED, _told(tell_withheld(link))
    return MISSING, list(_why_missing(scene, calendar, told))


def _why_missing(scene: Scene, calendar: Calendar, told: Clock) -> Iterator[Reason]:
    event, link = scene.event, scene.links.get(calendar.pk)
    if event.left_alone:
        text = "It was made before sync was switched on with --from-now, so it is left alone."
        yield Reason("left_alone", text, "Delete it and make it again, to have it copied.")
    cannot = scene.obstacles.get(calendar.pk)
    if cannot is not None:
        remedy = "Change the event so that both platforms can hold it, or leave it on one side."
        yield Reason("cannot_represent", cannot.text, remedy)
    if link is not None:
        yield _gone(link)
    yield from _outside(scene, calendar, told)
    yield from _calendar(scene, calendar, told, noticing=False)
    for source in scene.calendars.values():
        if source.pk != calendar.pk and scene.standing(source) is not None:
            yield from _calendar(scene, source, told, noticing=True)


def _is_held(link: Link) -> bool:
    return masking.load(link.treatment).passage is Passage.HOLD


def _told(reasons: Iterator[Told]) -> list[Reason]:
    return [Reason(code, text, remedy) for code, text, remedy in reasons]


def _gone(link: Link) -> Reason:
    if not link.key:
        remedy = "manage.py activate_sync makes it again."
        return Reason("taken_out", "Its copy was taken out by remove_copies.", remedy)
    return Reason("gone", "It was there once and is not kept there any more; the history below tells when and why.")


def _outside(scene: Scene, calendar: Calendar, told: Clock) -> Iterator[Reason]:
    start, end = calendar.window_start, calendar.window_end
    if end is not None and scene.event.starts_at >= end:
        text = f"It begins after {told(end)}, where the window of this calendar ends."
        yield Reason("outside_window", text, "Nothing to do: the window moves on with the days.")
    elif start is not None and not scene.event.is_series and scene.event.ends_at <= start:
        text = f"It was over before {told(start)}, where the window of this calendar begins."
        yield Reason("outside_window", text, "Raise CALSYNC_WINDOW_BACK_DAYS to have older events copied.")


def _deleted(scene: Scene) -> Iterator[Reason]:
    if scene.event.deleted_at is not None:
        yield Reason("deleted", "The event is deleted; the history below tells where.")


# --- it stands there in parts -----------------------------------------------------------------------------


def _in_parts(scene: Scene, calendar: Calendar, told: Clock) -> tuple[str, list[Reason]]:
    """A series for which the platform has no form; each part has an explanation of its own."""
    links = Link.objects.filter(event__whole=scene.event, event__deleted_at__isnull=True, calendar=calendar)
    parts = list(links.exclude(state=LinkState.GONE).order_by("pk"))
    name = calendar.account.get_platform_display()
    lead = f"{name} has no form for this series as a whole, so it stands there in {len(parts)} parts"
    operations = Operation.objects.filter(link__in=parts, state__in=UNFINISHED).order_by("pk")
    waiting = {operation.link_id: operation for operation in operations}
    lacking = [link for link in parts if not link.remote_id or link.pk in waiting]
    if parts and not lacking:
        return IN_STEP, [Reason("in_parts", f"{lead}.")]
    reasons = [Reason("in_parts", f"{lead}, {len(lacking)} of them not up to date.")]
    reasons += [_waiting(operation, scene.now, told) for operation in list(waiting.values())[:FEW]]
    return BEHIND if parts else MISSING, reasons


# --- it stands there --------------------------------------------------------------------------------------


def _present(scene: Scene, calendar: Calendar, link: Link, told: Clock) -> tuple[str, list[Reason]]:
    if link.state == LinkState.HELD:
        return HELD, [_held(scene, calendar)]
    if scene.event.deleted_at is not None:
        return _left_behind(scene, calendar, link, told)
    if calendar.pk in scene.wanted:
        fields = named(path for path in scene.wanted[calendar.pk].paths if path != "note")
        differs = Reason("differs", f"It differs from the hub in: {fields or 'the list of guests'}.")
        return BEHIND, [differs, *_work(scene, calendar, link, told), *_told(tell_treatment(link))]
    if _is_held(link):
        return HELD, _told(tell_treatment(link))
    return IN_STEP, [*_withheld(scene, calendar, link), *_told(tell_treatment(link))]


def _left_behind(scene: Scene, calendar: Calendar, link: Link, told: Clock) -> tuple[str, list[Reason]]:
    deleted = list(_deleted(scene))
    if link.pk in scene.operations:
        return BEHIND, [*deleted, *_work(scene, calendar, link, told)]
    if link.role == Role.NATIVE or scene.hub.guests:
        text = "It is a real meeting here: deleting it would mail its guests, so it is left."
        return NOT_WANTED, [*deleted, Reason("would_mail", text, "Delete it by hand.")]
    return BEHIND, deleted


def _held(scene: Scene, calendar: Calendar) -> Reason:
    brake = scene.braked.get(calendar.pk)
    text = brake.text if brake else "It vanished from this calendar together with many others."
    return Reason("held", f"Its deletion is held by a brake: {text}", "Decide the case in the console.")


def _withheld(scene: Scene, calendar: Calendar, link: Link) -> Iterator[Reason]:
    """What differs and is not written all the same."""
    state = rows.link_state(link, calendar)
    if link.role == Role.NATIVE:
        yield Reason("native", "The invitation made this one; CalSync never writes to it.")
    elif not may_write(scene.hub, state) and (paths := pending(scene.hub, state, key=scene.key)):
        text = f"It differs in: {named(paths)}. It is not written, because that would mail its guests."
        yield Reason("would_mail", text, "Change it in this calendar by hand.")


# --- work and trouble -------------------------------------------------------------------------------------


def _work(scene: Scene, calendar: Calendar, link: Link, told: Clock) -> Iterator[Reason]:
    """Why what is wanted has not been written."""
    operation = scene.operations.get(link.pk)
    if operation is not None:
        yield _waiting(operation, scene.now, told)
    elif calendar.pk in scene.wanted:
        remedy = f"manage.py audit --person {scene.event.owner} --repair"
        yield Reason("not_planned", "No write is planned; it follows with the event's next change.", remedy)
    elif scene.event.deleted_at is None and not may_create(scene.hub, rows.link_state(link, calendar)):
        yield Reason("would_mail", "It is not made again here, because a meeting is never made without its guests.")


def _waiting(operation: Operation, now: datetime, told: Clock) -> Reason:
    kind = operation.kind
    because = f": {operation.reason}" if operation.reason else "."
    if operation.state == OperationState.PARKED:
        remedy = operation.remedy or "Change the event: then it is tried again."
        return Reason("parked", f"The {kind} was refused and is parked{because}", remedy)
    if operation.state == OperationState.IN_FLIGHT:
        return Reason("in_flight", f"The {kind} is being written, or its worker has died: then it is repeated.")
    code = operation.error_code if operation.error_code in ("switched_off", "storm") else "waiting"
    if operation.due_at > now:
        return Reason(code, f"The {kind} waits until {told(operation.due_at)}{because}", _remedy_of(code))
    return Reason(code, f"The {kind} is due: it is written at this calendar's next turn{because}", _remedy_of(code))


def _remedy_of(code: str) -> str:
    return SWITCH_ON if code == "switched_off" else "Nothing to do: it is tried by itself."


def _calendar(scene: Scene, calendar: Calendar, told: Clock, *, noticing: bool) -> Iterator[Reason]:
    """What keeps a whole calendar from being read and written; ``noticing`` when it is only read from."""
    lead = f"Changes in the {calendar} are not noticed" if noticing else f"Nothing is written to the {calendar}"
    door = scene.doors[calendar.pk]
    if not calendar.account.is_active:
        yield Reason(
            "not_active", f"{lead}: its mailbox is disabled.", "Map it again: manage.py map_org_units FILE.csv"
        )
    elif not calendar.is_active:
        why = f" ({calendar.state_reason})" if calendar.state_reason else ""
        remedy = f"manage.py activate_sync --person {calendar.account.person}"
        yield Reason("not_active", f"{lead}: sync is not switched on for it{why}.", remedy)
    elif calendar.state in (Health.ACTION_REQUIRED, Health.DELAYED):
        until = f" It is tried again at {told(calendar.not_before)}." if calendar.not_before else ""
        text = f"{lead}: {calendar.get_state_display()}, {calendar.state_reason}{until}"
        yield Reason("trouble", text, "See the calendar in the console, and manage.py doctor.")
    elif calendar.imported_at is None:
        yield Reason("not_read", f"{lead}: it has not been read completely yet.", "Wait, or: manage.py sync")
    if not door.open and not noticing:
        yield Reason("switched_off", door.why, SWITCH_ON)
