"""The console's pages of rule changes: see what the rules change about existing events, then apply, stop or undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.admin import TabularInline
from unfold.decorators import display

from accounts.console import ReadOnlyAdmin, ReasonForm
from accounts.models import User
from calendars import policy_change
from calendars.models import PolicyBatch, PolicyChange, PolicyChangeState
from calendars.rule_preview import MAY_STEER, counted

COLOURS = {"running": "info", "stopped": "warning", "done": "success"}
STEPS = {
    "stop": ("Stop", "No further event is looked at. What is planned already is still written."),
    "resume": ("Resume", "It goes on with the events that are left."),
    "undo": (
        "Undo",
        "The rules go back to where they were before this change, and its events are looked at once more.",
    ),
}
_OPEN = {
    PolicyChangeState.RUNNING: ("stop", "undo"),
    PolicyChangeState.STOPPED: ("resume", "undo"),
    PolicyChangeState.DONE: ("undo",),
}


class PolicyBatchInline(TabularInline):
    """The batches that it is carried out in, the open ones included."""

    model = PolicyBatch
    fields = readonly_fields = ("size", "done_at")
    verbose_name_plural = "batches"
    extra = 0
    can_delete = False
    hide_title = True

    @admin.display(description="Events")
    def size(self, batch: PolicyBatch) -> int:
        """How many events are looked at together."""
        return len(batch.events)

    def has_add_permission(self, request: HttpRequest, obj: PolicyChange | None = None) -> bool:  # noqa: ARG002 - Django's
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: PolicyChange | None = None) -> bool:  # noqa: ARG002
        """Nobody changes."""
        return False


@admin.register(PolicyChange)
class PolicyChangeAdmin(ReadOnlyAdmin):
    """What was carried into existing events, how far it is, and the buttons that steer it."""

    list_display = ("made_at", "progress", "reached", "reason", "made_by")
    list_filter = ("state",)
    list_select_related = ("made_by",)
    inlines = (PolicyBatchInline,)
    fields = ("state", "state_since", "reached", "told", "reason", "made_by", "made_at", "undoes")
    readonly_fields = fields
    change_form_outer_before_template = "calendars/policy_steps.html"
    change_list_template = "calendars/policy_list.html"

    @display(description="State", ordering="state", label=COLOURS)
    def progress(self, change: PolicyChange) -> tuple[str, str]:
        """The state as a coloured word."""
        return change.state, change.get_state_display()

    @admin.display(description="Events looked at")
    def reached(self, change: PolicyChange) -> str:
        """How far it is."""
        return f"{change.done} of {change.total}"

    @admin.display(description="Copies, as counted before")
    def told(self, change: PolicyChange) -> str:
        """What was counted before it began."""
        return ", ".join(f"{count} {effect}" for effect, count in change.counts.items()) or "-"

    def has_steer_permission(self, request: HttpRequest) -> bool:
        """Who may carry rules into existing events."""
        return request.user.has_perm(MAY_STEER)

    def get_urls(self) -> list[URLPattern]:
        """The pages of the model, one for seeing first, and one for each step."""
        view = self.admin_site.admin_view
        return [
            path("preview/", view(self.preview_view), name="calendars_policychange_preview"),
            path("<path:object_id>/step/<slug:step>/", view(self.step_view), name="calendars_policychange_step"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One change with its buttons."""
        change = self.get_object(request, unquote(object_id))
        steps = _steps(change) if change is not None and self.has_steer_permission(request) else ()
        shown = {"policy": change, "steps": [(step, *STEPS[step]) for step in steps]}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Count what the rules in force change; on a reason, begin."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        may_steer = self.has_steer_permission(request)
        if request.method == "POST" and not may_steer:
            raise PermissionDenied
        found = policy_change.preview(now=timezone.now())
        form = ReasonForm(request.POST or None)
        if may_steer and form.is_valid():
            reason = form.cleaned_data["reason"]
            return self._do(
                request, lambda by: policy_change.start(found=found, by=by, reason=reason, now=timezone.now())
            )
        context = self._context(request, "What the rules change about existing events", form)
        context |= {"may_steer": may_steer, "page": reverse("admin:calendars_policychange_changelist")}
        return TemplateResponse(request, "calendars/policy_preview.html", {**context, **counted(found)})

    def step_view(self, request: HttpRequest, object_id: str, step: str) -> HttpResponse:
        """Say what will happen and ask why; then stop, resume or undo."""
        change = self.get_object(request, unquote(object_id))
        if change is None or step not in STEPS:
            raise Http404
        if not self.has_steer_permission(request):
            raise PermissionDenied
        form = ReasonForm(request.POST or None)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            return self._do(request, lambda by: _carry_out(step, change, by, reason))
        label, sentence = STEPS[step]
        page = reverse("admin:calendars_policychange_change", args=[change.pk])
        context = self._context(request, f"{label}?", form)
        context |= {"sentence": sentence, "label": label, "page": page}
        return TemplateResponse(request, "calendars/policy_step.html", context)

    def _do(self, request: HttpRequest, act: Callable[[User], PolicyChange]) -> HttpResponse:
        assert isinstance(request.user, User)
        try:
            change = act(request.user)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:calendars_policychange_changelist"))
        self.message_user(request, f"{change.total} events: {change.get_state_display()}.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:calendars_policychange_change", args=[change.pk]))

    def _context(self, request: HttpRequest, title: str, form: ReasonForm) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "title": title, "opts": self.model._meta, "form": form}


def _steps(change: PolicyChange) -> tuple[str, ...]:
    undone = PolicyChange.objects.filter(undoes=change).exists()
    return tuple(step for step in _OPEN[PolicyChangeState(change.state)] if step != "undo" or not undone)


def _carry_out(step: str, change: PolicyChange, by: User, reason: str) -> PolicyChange:
    now = timezone.now()
    if step == "undo":
        return policy_change.undo(change=change, by=by, reason=reason, now=now)
    return (policy_change.stop if step == "stop" else policy_change.resume)(
        change=change, by=by, reason=reason, now=now
    )
