"""Carrying the rules into events that stand already: begun by a person who saw the counts, in batches, to be stopped,
resumed and undone.

What lives here: changes and their batches. What does not: what a rule would change (``sync.policy_effects``), what
becomes of one event (``sync.reconsider``).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from accounts.trail import record
from calendars.models import Operation, PolicyBatch, PolicyChange, PolicyChangeState
from calendars.sync import bell
from calendars.sync.policy_effects import PolicyPreview, preview_rules
from calendars.sync.reconsider import reconsider
from calendars.sync.tally import Tally
from syncrules.compile import rulebook_for
from syncrules.models import Rule
from syncrules.services.rules import move_rule, restore_version, set_enabled

logger = logging.getLogger(__name__)

BATCH = 100  # events that are looked at together
MOST_OPEN = 500  # planned writes in the whole installation above which the next batch waits
BATCHES_AT_ONCE = 5  # of one step of the schedule

Standing = dict[str, dict[str, int]]
"""Version and place of rules, by id."""


def preview(*, now: datetime, instead: Sequence[Rule] | None = None) -> PolicyPreview:
    """What the rules in force would change about the events that stand, or these rows (saved or not) in place of them.

    Nothing is stored, no provider is asked.
    """
    return preview_rules(now=now, book_for=partial(rulebook_for, instead=instead) if instead is not None else None)


def start(
    *, found: PolicyPreview, by: User | None, reason: str, now: datetime, before: Standing | None = None
) -> PolicyChange:
    """Begin to carry out what a preview has found. Raises ValidationError when another change is under way.

    ``before``: the rules as they stood before they were changed for this; undoing it puts them back there.
    """
    counts = {str(effect): count for effect, count in sorted(found.counts.items())}
    with transaction.atomic():
        change = _begin(found.events, counts=counts, by=by, reason=reason, now=now, before=before)
        record("policy.begun", target=change, by=by, reason=reason, now=now, events=change.total)
    return change


@transaction.atomic
def stop(*, change: PolicyChange, now: datetime, by: User | None = None, reason: str = "") -> PolicyChange:
    """Let no further batch begin. What was planned already is still written; undo takes it back."""
    record("policy.stopped", target=change, by=by, reason=reason, now=now)
    return _move(change, PolicyChangeState.RUNNING, PolicyChangeState.STOPPED, now=now)


@transaction.atomic
def resume(*, change: PolicyChange, now: datetime, by: User | None = None, reason: str = "") -> PolicyChange:
    """Go on where it was stopped."""
    _refuse_second()
    record("policy.resumed", target=change, by=by, reason=reason, now=now)
    return _move(change, PolicyChangeState.STOPPED, PolicyChangeState.RUNNING, now=now)


@transaction.atomic
def undo(*, change: PolicyChange, by: User | None, reason: str, now: datetime) -> PolicyChange:
    """Put the rules back to where they were before this change, and look once more at its events.

    Where it was begun without changing a rule, that is where they were when the change before it began (without one:
    out of force).

    Raises ValidationError when it was undone already, when rules have changed since, or when another change is under
    way.
    """
    change = PolicyChange.objects.select_for_update(of=("self",)).get(pk=change.pk)
    if PolicyChange.objects.filter(undoes=change).exists():
        raise ValidationError("This change has been undone already.")
    if change.rules != _versions():
        raise ValidationError(
            "Rules have been changed since: restore what you want on the page of the rule, and look at what it changes."
        )
    if change.state == PolicyChangeState.RUNNING:
        _move(change, PolicyChangeState.RUNNING, PolicyChangeState.STOPPED, now=now)
    record("policy.undone", target=change, by=by, reason=reason, now=now)
    before = standing()
    _put_rules_back(_rules_before(change), by=by, reason=reason, now=now)
    # All of them, for a batch may be under way at this moment; what it had not reached is found as it should be.
    events = [pk for batch in change.batches.order_by("pk").values_list("events", flat=True) for pk in batch]
    return _begin(events, counts={}, by=by, reason=reason, now=now, undoes=change, before=before)


def standing() -> Standing:
    """Version and place of each rule at this moment, by id."""
    rows = Rule.objects.order_by("pk").values_list("pk", "version", "position")
    return {str(pk): {"version": version, "position": position} for pk, version, position in rows}


def carry_on(*, now: datetime) -> int:
    """Carry out the next batches of the change that is under way, as far as not too many writes wait; returns how many
    batches. Safe to repeat, and by several processes at once.
    """
    done = 0
    while done < BATCHES_AT_ONCE and Operation.objects.open().count() < MOST_OPEN and _next_batch(now=now):
        done += 1
    return done


# --- inside -----------------------------------------------------------------------------------------------


@transaction.atomic
def _begin(
    events: Sequence[int],
    *,
    counts: dict[str, int],
    by: User | None,
    reason: str,
    now: datetime,
    undoes: PolicyChange | None = None,
    before: Standing | None = None,
) -> PolicyChange:
    if not reason.strip():
        raise ValidationError("Give a reason.")
    _refuse_second()
    state = PolicyChangeState.RUNNING if events else PolicyChangeState.DONE
    change = PolicyChange.objects.create(
        state=state,
        state_since=now,
        reason=reason.strip(),
        made_by=by,
        made_at=now,
        rules=_versions(),
        before=before or {},
        counts=counts,
        total=len(events),
        undoes=undoes,
    )
    PolicyBatch.objects.bulk_create(
        PolicyBatch(change=change, events=list(events[at : at + BATCH])) for at in range(0, len(events), BATCH)
    )
    return change


def _versions() -> dict[str, int]:
    """The rules and their versions at this moment."""
    return {pk: rule["version"] for pk, rule in standing().items()}


def _rules_before(change: PolicyChange) -> Standing:
    if change.before:
        return change.before
    earlier = PolicyChange.objects.filter(pk__lt=change.pk).order_by("-pk").first()
    return {pk: {"version": version} for pk, version in earlier.rules.items()} if earlier is not None else {}


def _put_rules_back(before: Standing, *, by: User | None, reason: str, now: datetime) -> None:
    rules = list(Rule.objects.order_by("pk"))
    for rule in rules:
        was = before.get(str(rule.pk))
        if was is None and rule.is_enabled:
            set_enabled(rule=rule, on=False, by=by, why=reason, now=now)
        elif was is not None and was["version"] != rule.version:
            restore_version(rule=rule, number=was["version"], by=by, why=reason, now=now)
    placed = [(before[str(rule.pk)]["position"], rule) for rule in rules if "position" in before.get(str(rule.pk), {})]
    for position, rule in sorted(placed, key=lambda pair: (pair[0], pair[1].pk)):
        move_rule(rule=rule, position=position, by=by, why=reason, now=now)


def _refuse_second() -> None:
    if PolicyChange.objects.running().exists():
        raise ValidationError("Another change of rules is being carried out: wait for its end, or stop it.")


def _move(change: PolicyChange, before: PolicyChangeState, after: PolicyChangeState, *, now: datetime) -> PolicyChange:
    current = PolicyChange.objects.select_for_update(of=("self",)).get(pk=change.pk)
    if current.state != before:
        raise ValidationError(f"It is {current.get_state_display()}: this cannot be done now.")
    current.enter(after, now=now)
    current.save(update_fields=["state", "state_since"])
    return current


def _next_batch(*, now: datetime) -> bool:
    """Carry out one batch: looked at first, so that a crash repeats it; False when there is none."""
    change = PolicyChange.objects.running().first()
    if change is None:
        return False
    batch = change.batches.filter(done_at__isnull=True).first()
    if batch is not None:
        tally = Tally()
        reconsider(batch.events, now=now, tally=tally)
        bell.call(calendar_ids=sorted(tally.rung), now=now)
        logger.info("policy.batch change=%s batch=%s events=%s", change.pk, batch.pk, len(batch.events))
    with transaction.atomic():
        current = PolicyChange.objects.select_for_update(of=("self",)).get(pk=change.pk)
        if batch is not None and PolicyBatch.objects.filter(pk=batch.pk, done_at=None).update(done_at=now):
            current.done += len(batch.events)
        if not current.batches.filter(done_at__isnull=True).exists():
            current.enter(PolicyChangeState.DONE, now=now)
        current.save(update_fields=["state", "state_since", "done"])
    return batch is not None
