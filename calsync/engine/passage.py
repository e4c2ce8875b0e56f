"""Whether an event may stand in a place now: what an approval was given for, and how far ahead events travel.

What lives here: the fingerprint that binds an approval to what was approved, and the horizon. What does not: which rule
decides (``rules``), who approves.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from calsync.engine.events import AllDay, Event, Field
from calsync.engine.fingerprint import digest, field_of_path, instants, texts
from calsync.engine.masking import BUSY_ONLY, fields_sent, is_masked
from calsync.engine.plan_values import LinkState
from calsync.engine.treatment import FULL, Details, Passage, Treatment

APPROVED, REFUSED = "approved", "refused"

_BINDING = frozenset({Field.WHEN.value, Field.LOCATION.value, Field.RECURRENCE.value, ""})
"""When and where: the fields on which an approval rests. "" is the path of a cancelled occurrence."""


def approval_mark(event: Event, *, key: bytes) -> str:
    """A keyed fingerprint of when, where and with whom: an approval of one mark says nothing about another.

    Neither the title nor an answer is in it, so that these do not ask again. A series is approved as a whole.
    """
    told = [f"{path}\0{text}" for path, text in sorted(texts(event).items()) if field_of_path(path) in _BINDING]
    guests = sorted({guest.address for guest in event.guests})
    return digest("approval", "\0".join([*told, "guests", *guests]), key=key)


def admitted(event: Event, link: LinkState, treatment: Treatment, *, key: bytes) -> LinkState:
    """The link under a treatment. One that holds lets pass what was approved, and asks once for anything else."""
    if treatment.passage is not Passage.HOLD:
        return replace(link, treatment=treatment)
    mark = approval_mark(event, key=key)
    if link.asked != mark:
        return replace(link, treatment=treatment, asked=mark, answer="")
    return replace(link, treatment=replace(treatment, passage=Passage.SYNC) if link.answer == APPROVED else treatment)


def waits(link: LinkState) -> bool:
    """Whether a link is wanted and waits for an approval, or was refused one."""
    return link.treatment.passage is Passage.HOLD


def stricter(one: Treatment, other: Treatment) -> Treatment:
    """``one``, as far as ``other`` does not let less through: the rules of both sides of a meeting have to agree.

    Where two masks hide different things, "Busy" is all that both let pass.
    """
    first = max(one, other, key=lambda treatment: _STRICTNESS[treatment.passage])
    details = _common(one.details, other.details)
    rules = [one.rule] if other in (one, FULL) or (details == one.details and first is one) else [one.rule, other.rule]
    horizons = [days for days in (one.horizon_days, other.horizon_days) if days is not None]
    return replace(
        one,
        passage=first.passage,
        approver=first.approver,
        leaving=first.leaving,
        details=details,
        horizon_days=min(horizons, default=None),
        rule="+".join(filter(None, dict.fromkeys(rules))),
    )


_STRICTNESS = {Passage.SYNC: 0, Passage.HOLD: 1, Passage.SKIP: 2}


def _common(one: Details, other: Details) -> Details:
    sent, others = fields_sent(one), fields_sent(other)
    if not is_masked(other) or (sent < others and is_masked(one)) or one == other:
        return one
    return other if not is_masked(one) or others < sent else BUSY_ONLY


def is_beyond(event: Event, treatment: Treatment, *, now: datetime) -> bool:
    """Whether the event begins later than its rule lets events travel. A series begins with its first occurrence."""
    if treatment.horizon_days is None:
        return False
    return begins_at(event) > now + timedelta(days=treatment.horizon_days)


def begins_at(event: Event) -> datetime:
    """The first start as aware UTC; all-day: midnight UTC of the day."""
    when = event.content.when
    return datetime.combine(when.start, time(), UTC) if isinstance(when, AllDay) else instants(when)[0]
