"""What a person may decide about a finding, and carrying it out: releasing what a brake held, putting back, swapping.

What lives here: the changes of rows. What does not: what may be decided (``choices``), who may decide and why
(``conflicts``), and the writes themselves: they are planned here and made by the calendars' next turns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q

from accounts.secrets import fingerprint_key
from calendars import rows
from calendars.choices import Decision, choices
from calendars.models import Calendar, Event, Finding, Link, LinkState, Operation, OperationState
from calendars.sync import bell
from calendars.sync.held import links_held_by
from calendars.sync.history import History, Kind
from calendars.sync.locks import lock_people
from calendars.sync.stamps import Stamps
from calendars.sync.store import Store
from calendars.sync.tally import Tally
from calendars.sync.verdicts import Verdicts
from calsync.engine import serial
from calsync.engine.passage import APPROVED, REFUSED, waits
from calsync.engine.plan import EventPlan, FindingKind, HubState, reborn, wanted_writes
from calsync.engine.plan import LinkState as EngineLink
from calsync.engine.swap import CannotSwap, check_edit, exchange, plan_removal, plan_return
from calsync.engine.travel import held_by_origin

_FACTS = {FindingKind.CANNOT_REPRESENT, FindingKind.MALFORMED}
"""They stay true when somebody has seen them: such a finding is settled by the event's next change only."""

_HOLDING = (FindingKind.MASS_DELETE, FindingKind.EMPTY_SIDE)
_STOPPING = (FindingKind.STORM, FindingKind.RESURRECTION)


def release(finding: Finding, *, now: datetime) -> str:
    """Carry out what the brake held; returns what happens next."""
    return _decide(finding, Decision.RELEASE, now)


def put_back(finding: Finding, *, now: datetime) -> str:
    """Make the held deletions undone: what vanished there is created again; returns what happens next."""
    return _decide(finding, Decision.PUT_BACK, now)


def swap(finding: Finding, *, now: datetime) -> str:
    """Let the losing version win; the one it replaces is kept in its place. Returns what happens next."""
    return _decide(finding, Decision.SWAP, now)


def swap_back(finding: Finding, *, now: datetime) -> str:
    """Undo a swap; returns what happens next."""
    return _decide(finding, Decision.SWAP_BACK, now)


def accept(finding: Finding, *, now: datetime) -> str:
    """Leave it as it is; returns what that means."""
    return _decide(finding, Decision.ACCEPT, now)


def decide(finding: Finding, decision: Decision, *, now: datetime) -> str:
    """Any of them by name. Raises ValidationError with a sentence when it is not open (any more)."""
    return _decide(finding, decision, now)


def is_done(finding: Finding) -> bool:
    """Whether nothing of a finding is left to decide or to carry out."""
    if finding.kind in _FACTS:
        return bool(finding.settled_at or finding.decision)
    if finding.settled_at is None:
        return False
    if finding.decision != Decision.RELEASE or finding.kind not in _HOLDING:
        return True
    return not Link.objects.filter(pk__in=links_held_by(finding), state=LinkState.RELEASED).exists()


def settle_resolved(*, now: datetime) -> int:
    """Settle brakes' findings of which time has taken care: what was held is back or decided; the stopped copy is not
    wanted any more. Returns how many.
    """
    waiting = Finding.objects.filter(
        kind__in=(*_HOLDING, *_STOPPING, FindingKind.APPROVAL), settled_at=None
    ).select_related("link__event", "link__calendar__account")
    resolved = [finding.pk for finding in waiting.order_by("pk") if _has_resolved_itself(finding)]
    return Finding.objects.filter(pk__in=resolved, settled_at=None).update(settled_at=now)


def _has_resolved_itself(finding: Finding) -> bool:
    if finding.kind in _HOLDING:
        waiting = Link.objects.filter(state__in=(LinkState.HELD, LinkState.RELEASED), event__deleted_at=None)
        return not waiting.filter(pk__in=links_held_by(finding)).exists()
    link = finding.link
    if link is not None and finding.kind == FindingKind.APPROVAL:
        return link.event.deleted_at is not None or link.state == LinkState.GONE or not waits(_state(link))
    return link is None or link.state == LinkState.GONE


def _state(link: Link) -> EngineLink:
    return rows.link_state(link, link.calendar)


def _decide(finding: Finding, decision: Decision, now: datetime) -> str:
    """Idempotent: what was decided already is not carried out again."""
    with transaction.atomic():
        people = _people(finding)
        lock_people(people)
        current = Finding.objects.select_related("calendar__account__person", "event", "link").get(pk=finding.pk)
        if current.decision == decision:
            return "That has been decided already."
        if decision not in {choice.decision for choice in choices(current)}:
            raise ValidationError("This is not to be decided any more.")
        try:
            told = _CARRY_OUT[decision](current, now)
        except CannotSwap as error:
            raise ValidationError(str(error)) from error
        current.decision = decision
        current.settled_at = None if current.kind in _FACTS else now
        current.save(update_fields=["decision", "settled_at", "values"])
        _note(current, decision, now)
        _ring(people, now)
    finding.refresh_from_db()
    return told


def _note(finding: Finding, decision: Decision, now: datetime) -> None:
    """What was decided stands in the history of each event that it is about."""
    if finding.calendar is None:
        return
    history = History(calendar=finding.calendar, at=now)
    held = Event.objects.filter(links__in=links_held_by(finding)) if finding.kind in _HOLDING else ()
    for event in [finding.event, *held]:
        if event is not None:
            history.note(event, Kind.RELEASED, text=f"A person decided: {decision.label.lower()}.")
    history.save()


def _people(finding: Finding) -> set[int]:
    """Whose calendars a decision may reach: colleagues' copies follow the event."""
    events = Q(pk=finding.event_id) | Q(links__in=links_held_by(finding) if finding.kind in _HOLDING else [])
    concerned = Event.objects.filter(events)
    holders = Link.objects.filter(event__in=concerned).values_list("calendar__account__person_id", flat=True)
    return {finding.person_id, *concerned.values_list("owner_id", flat=True), *holders}


def _ring(people: set[int], now: datetime) -> None:
    theirs = Calendar.objects.active().filter(account__person_id__in=people)
    bell.ring(calendar_ids=list(theirs.order_by("pk").values_list("pk", flat=True)), now=now)


# --- what brakes held -----------------------------------------------------------------------------------------


def _release(finding: Finding, now: datetime) -> str:
    if finding.kind == FindingKind.APPROVAL:
        return _answer(finding, APPROVED, now)
    if finding.kind in _STOPPING:
        return _let_write(finding, now)
    held = Link.objects.filter(pk__in=links_held_by(finding), state=LinkState.HELD)
    count = held.update(state=LinkState.RELEASED)
    return f"{count} events are looked up now; those that are gone are deleted in the person's other calendars."


def _let_write(finding: Finding, now: datetime) -> str:
    """The write that waits is due now; one that was parked, or never planned, is planned."""
    link = finding.link
    if link is None or link.state == LinkState.GONE:
        return "The copy is not wanted any more: there is nothing left to write."
    mine = Operation.objects.filter(link=link)
    parked = mine.filter(state=OperationState.PARKED, error_code__in=_STOPPING)
    if not mine.open().update(due_at=now):
        kind = "update" if link.remote_id else "create"
        Operation.objects.create(
            link=link, calendar_id=link.calendar_id, kind=kind, why="released", due_at=now, planned_at=now
        )
    parked.update(state=OperationState.DROPPED, reason="released: planned anew")
    return "The event is written now."


def _put_back(finding: Finding, now: datetime) -> str:
    calendar = finding.calendar
    held = list(_held_links(finding))
    store = _store(calendar, now) if calendar is not None else None
    left = sum(not _made_again(store, link) for link in held) if store else len(held)
    if store:
        store.save()
    gone = sum(link.event.deleted_at is not None for link in held)
    told = f"{len(held) - left - gone} events are made again in this calendar."
    if gone:
        told += f" {gone} were deleted elsewhere in the meantime and stay deleted."
    if left:
        told += f" {left} meetings with guests stay as they are: made again, their guests would be mailed."
    return told


def _held_links(finding: Finding) -> models.QuerySet[Link]:
    held = Link.objects.filter(pk__in=links_held_by(finding), state=LinkState.HELD)
    return held.select_related("event").prefetch_related("calendar__account").order_by("pk")


def _made_again(store: Store, link: Link) -> bool:
    """Plan one copy anew; False when it must not be made."""
    if link.event.deleted_at is not None:
        link.state = LinkState.ACTIVE  # should the copy be there after all, then it goes
        store.changed_links[link.pk] = link
        store.plan_delete(link, why="The event was deleted elsewhere.")
        return True
    links = _links_of(link.event_id)
    states = [rows.link_state(other, other.calendar) for other in links if other.state != LinkState.GONE]
    anew = tuple(reborn(state) if state.calendar_id == link.calendar_id else state for state in states)
    hub = HubState(serial.load(link.event.content), anew, link.event.changed_at)
    writes = tuple(
        write for write in wanted_writes(hub, key=fingerprint_key()) if write.calendar_id == link.calendar_id
    )
    if not writes:
        return False
    plan = EventPlan(event=hub.event, links=anew, writes=writes)
    store.add_change(link.event, links, plan, read=None, changed_at=None)
    return True


# --- approvals ------------------------------------------------------------------------------------------------


def _refuse(finding: Finding, now: datetime) -> str:
    return _answer(finding, REFUSED, now)


def _answer(finding: Finding, answer: str, now: datetime) -> str:
    """Note the answer with the copy, and let the rules look at it with that."""
    link = finding.link
    if link is None or link.state == LinkState.GONE or link.event.deleted_at is not None:
        raise ValidationError("The copy is not wanted any more: there is nothing left to approve.")
    if link.asked != finding.mark:
        raise ValidationError("Its time, place or guests have changed since: decide the newer case.")
    link.answer = answer
    link.save(update_fields=["answer"])
    event, links = link.event, _links_of(link.event_id)
    hub = rows.hub_state(event, [other for other in links if other.state != LinkState.GONE])
    store = _store(link.calendar, now)
    store.verdicts = Verdicts.load(
        people=_people(finding), events=[hub.event], links=links, key=fingerprint_key(), now=now
    )
    store.add_change(event, links, EventPlan(event=hub.event, links=hub.links), read=None, changed_at=None)
    store.save()
    return "The copy is written now." if answer == APPROVED else "It is not written."


# --- the other version ----------------------------------------------------------------------------------------


def _swap(finding: Finding, now: datetime) -> str:
    event = finding.event
    if event is None:
        raise ValidationError("The event is no longer kept: it was deleted long ago.")
    if event.whole_id is not None:
        raise ValidationError("This is a part of a longer series: change the series itself.")
    links = _links_of(event.pk)
    if any(link.state in (LinkState.HELD, LinkState.RELEASED) for link in links):
        raise ValidationError("A deletion of this event waits for a decision: decide that case first.")
    if finding.kind == FindingKind.DELETE_AGAINST_EDIT:
        return _turn_round(finding, links, now)
    if event.deleted_at is not None:
        raise ValidationError("The event has been deleted since.")
    hub = rows.hub_state(event, [link for link in links if link.state != LinkState.GONE])
    values = {path: serial.load_value(value) for path, value in finding.values.items()}
    check_edit(hub, _link_in(hub, finding), values.keys())
    after, replaced = exchange(hub.event, values)
    changed = held_by_origin(replace(hub, event=after))
    writes = wanted_writes(changed, key=fingerprint_key())
    plan = EventPlan(event=after, links=changed.links, writes=writes, changed=after != hub.event)
    _carry_out(finding, plan, links, now)
    finding.values = {path: serial.dump_value(value) for path, value in replaced.items()}
    return "The other version is written to both sides now; the one it replaces is kept in this case."


def _link_in(hub: HubState, finding: Finding) -> EngineLink | None:
    """The copy whose edit was put back: it must be one whose edits may travel."""
    if finding.kind != FindingKind.COPY_EDITED or finding.link is None:
        return None
    return next((link for link in hub.links if link.calendar_id == finding.link.calendar_id), None)


def _turn_round(finding: Finding, links: list[Link], now: datetime) -> str:
    event = finding.event
    if event is not None and finding.link is not None and finding.link.event.whole_id is not None:
        raise ValidationError("This is one occurrence of a longer series: change it in the calendar.")
    if event is None or finding.link is None:
        raise ValidationError("The edited event lives on as an event of its own: delete it in the calendar.")
    if Operation.objects.filter(link__in=links, state=OperationState.IN_FLIGHT).exists():
        raise ValidationError("The event is being written at this very moment: try again in a minute.")
    standing = [link for link in links if link.state != LinkState.GONE]
    if event.deleted_at is None:
        _carry_out(finding, plan_removal(rows.hub_state(event, standing)), links, now)
        return "The event is deleted on both sides now; it can be turned round again."
    gone = [link.calendar_id for link in links if link.state == LinkState.GONE]
    plan = plan_return(rows.hub_state(event, links), gone=gone, key=fingerprint_key())
    event.deleted_at = None
    _carry_out(finding, plan, links, now)
    return "The event is made again on both sides now; it can be turned round again."


def _carry_out(finding: Finding, plan: EventPlan, links: list[Link], now: datetime) -> None:
    calendar = finding.calendar or links[0].calendar
    store = _store(calendar, now)
    assert finding.event is not None
    events = [plan.event] if plan.event is not None else []
    store.verdicts = Verdicts.load(people=_people(finding), events=events, links=links, key=fingerprint_key(), now=now)
    store.add_change(finding.event, links, plan, read=None, changed_at=now)
    store.save()


# --- as it is -------------------------------------------------------------------------------------------------


def _accept(finding: Finding, now: datetime) -> str:
    if finding.kind in _STOPPING and finding.link is not None:
        waiting = Operation.objects.filter(link=finding.link)
        waiting.filter(state=OperationState.PLANNED).update(
            state=OperationState.DROPPED, reason="a person decided not to write it", closed_at=now
        )
        waiting.filter(state=OperationState.PARKED, error_code__in=_STOPPING).update(state=OperationState.DROPPED)
        if finding.kind == FindingKind.RESURRECTION and not finding.link.remote_id:
            Link.objects.filter(pk=finding.link.pk, state=LinkState.ACTIVE).update(state=LinkState.HELD)
    return "Both stay as they are." if finding.kind == FindingKind.DOUBLE_BOOKING else "It stays as it is."


def _store(calendar: Calendar, now: datetime) -> Store:
    stamps = Stamps(noticed_at=None, pulled_at=now, planned_at=now)
    return Store(calendar=calendar, partners={}, stamps=stamps, tally=Tally())


def _links_of(event_id: int) -> list[Link]:
    links = Link.objects.filter(event=event_id).select_related("event").prefetch_related("calendar__account__person")
    return list(links.order_by("calendar_id"))


_CARRY_OUT: Mapping[Decision, Callable[[Finding, datetime], str]] = {
    Decision.RELEASE: _release,
    Decision.PUT_BACK: _put_back,
    Decision.SWAP: _swap,
    Decision.SWAP_BACK: _swap,
    Decision.ACCEPT: _accept,
    Decision.REFUSE: _refuse,
}
