"""The console's page between writing a change of rules and making it: the numbers, some events, and what to do now.

What lives here: the page, for every way in which rules are changed. What does not: the forms before it
(``rule_admin``), making the change (``rule_changes``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin

from accounts.models import User
from accounts.reach import visible_to
from accounts.trail import record
from calendars.models import Event, PolicyChange
from calendars.rule_changes import Prospect, RulesMoved, look_ahead, make
from calendars.selectors import may_see_content
from calendars.sync.policy_effects import Effect, PolicyPreview
from calsync.engine import serial

APPLY, EDIT, SHOWN = "_apply", "_edit", "_shown"
"""Names of what the page sends beside the fields of the form before it."""
_NOT_KEPT = ("csrfmiddlewaretoken", APPLY, EDIT, SHOWN, "_save")
MAY_STEER = "calendars.change_policychange"


@dataclass(frozen=True, slots=True)
class Sample:
    """One of the events concerned, as far as whoever looks may see it."""

    effect: str
    owner: User
    starts_at: datetime
    is_series: bool
    title: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A change that somebody asks for. ``told`` is what the page says of it beside the numbers."""

    change: Callable[[], Any]  # Any: whatever the service gives back
    reason: str
    title: str
    done: str  # said when it is made
    back: str  # where it leads when no event is concerned
    told: Callable[[Any], list[str]] | None = None
    is_always_shown: bool = False  # also when no event is concerned
    sent: Mapping[str, str] = field(default_factory=dict)  # fields of the form whose content came in another way


class WeighsChanges(ModelAdmin):
    """An admin whose changes of rules are shown before they are made."""

    def weigh(self, request: HttpRequest, asked: Asked) -> HttpResponse | None:
        """Show what the change does; make it when that is confirmed or no event is concerned.

        None where it cannot be made, which is said in a message: the form before it is to be shown again.
        """
        now = timezone.now()
        try:
            ahead = look_ahead(change=asked.change, now=now)
            if self._is_settled(request, asked, ahead):
                return self._make(request, asked, ahead, now)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return None
        return self._page_before(request, asked, ahead)

    def _is_settled(self, request: HttpRequest, asked: Asked, ahead: Prospect[Any]) -> bool:
        concerns = bool(ahead.found.events)
        if APPLY not in request.POST:
            return not concerns and not asked.is_always_shown
        if request.POST.get(SHOWN) != ahead.mark:
            self.message_user(request, " ".join(RulesMoved().messages), messages.WARNING)
            return False
        return not concerns or request.user.has_perm(MAY_STEER)

    def _make(self, request: HttpRequest, asked: Asked, ahead: Prospect[Any], now: datetime) -> HttpResponse:
        by = request.user if isinstance(request.user, User) else None
        _, begun = make(change=asked.change, ahead=ahead, by=by, reason=asked.reason, now=now)
        if begun is not None:
            text = f"{asked.done} {begun.total} events are looked at now, in batches."
            self.message_user(request, text, messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:calendars_policychange_change", args=[begun.pk]))
        text = f"{asked.done} No event that stands is concerned." if ahead.is_news else "There was nothing to change."
        self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(asked.back)

    def _page_before(self, request: HttpRequest, asked: Asked, ahead: Prospect[Any]) -> HttpResponse:
        fields = dict(request.POST.lists()) | {name: [value] for name, value in asked.sent.items()}
        sent = [(name, value) for name, values in fields.items() if name not in _NOT_KEPT for value in values]
        context = {
            **self.admin_site.each_context(request),
            **counted(ahead.found),
            "title": asked.title,
            "opts": self.model._meta,
            "told": asked.told(ahead.outcome) if asked.told else [],
            "sent": sent,
            "mark": ahead.mark,
            "samples": list(samples_for(request.user, ahead.found)),
            "may_steer": request.user.has_perm(MAY_STEER),
            "under_way": PolicyChange.objects.running().first(),
        }
        return TemplateResponse(request, "calendars/rule_preview.html", context)


def counted(found: PolicyPreview) -> dict[str, Any]:
    """The numbers as the pages show them."""
    effects = [effect for effect in Effect if found.counts[effect]]
    return {
        "seen": found.seen,
        "concerned": len(found.events),
        "totals": [(str(effect), found.counts[effect]) for effect in effects],
        "units": [(unit, [counts[effect] for effect in effects]) for unit, counts in sorted(found.by_unit.items())],
    }


def samples_for(viewer: Any, found: PolicyPreview) -> Iterator[Sample]:  # Any: a user, or nobody
    """Some events for each effect; what they are about only for those who may see it, and that is kept in the trail."""
    wanted = {pk for ids in found.samples.values() for pk in ids}
    rows = visible_to(Event.objects.filter(pk__in=wanted).select_related("owner"), viewer)
    events = {event.pk: event for event in rows}
    titles = {pk: _title(viewer, event) for pk, event in events.items()}
    for effect in Effect:
        for pk in found.samples.get(effect, ()):
            if event := events.get(pk):
                yield Sample(str(effect), event.owner, event.starts_at, event.is_series, titles[pk])


def _title(viewer: Any, event: Event) -> str:
    if not may_see_content(viewer, event):
        return "Busy"
    if event.owner_id != viewer.pk:
        record("content.seen", target=event, now=timezone.now())
    return serial.load(event.content).content.title or "(no title)"
