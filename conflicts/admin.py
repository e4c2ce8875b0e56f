"""The console's pages of cases: what waits, what would have been done, and deciding it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.text import Truncator
from unfold.decorators import display

from accounts.console import AsksReason, ReadOnlyAdmin, ReasonForm
from accounts.models import User
from accounts.trail import record
from calendars.choices import Choice, Decision, choices
from calendars.models import Calendar
from calendars.selectors import may_see_kept
from conflicts import bookings_admin
from conflicts.models import Case
from conflicts.selectors import values_for
from conflicts.services import decide_case

__all__ = ["bookings_admin"]  # registers its own pages

STATE_COLOURS = {"open": "warning", "decided": "info", "closed": "success"}


@admin.register(Case)
class CaseAdmin(AsksReason, ReadOnlyAdmin):
    """What waits for a person, since when and why. Rows change by deciding only."""

    list_display = ("told", "kind", "person", "calendar", "progress", "since")
    list_filter = ("state", "kind", "finding__calendar__account__platform")
    search_fields = ("summary", "person__email")
    date_hierarchy = "opened_at"
    fields = (
        "kind",
        "person",
        "calendar",
        "event",
        "summary",
        "state",
        "since",
        "opened_at",
        "decision",
        "decided_at",
        "decided_by",
        "reason",
        "closed_at",
    )
    verbs = {"decide": "change"}
    actions = ("release_chosen", "put_back_chosen", "swap_chosen", "accept_chosen", "refuse_chosen")
    change_form_outer_before_template = "conflicts/case_panel.html"

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may decide."""
        allowed = request.user.has_perm("conflicts.change_case")
        return allowed and (obj is None or request.user.has_perm("conflicts.change_case", obj))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        """Cases with what their lists show; what they keep stays sealed."""
        cases = super().get_queryset(request).select_related("person", "decided_by", "finding__calendar__account")
        return cases.defer("finding__values")

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def progress(self, case: Case) -> tuple[str, str]:
        """The state as a coloured word."""
        return case.state, case.get_state_display()

    @admin.display(description="What", ordering="kind")
    def told(self, case: Case) -> str:
        """The beginning of the summary: a row of a narrow screen has room for two lines."""
        return Truncator(case.summary).chars(60)

    @admin.display(description="State since")
    def since(self, case: Case) -> str:
        """When it came into its present state."""
        return localize(timezone.localtime(case.state_since))

    @admin.display(description="Calendar")
    def calendar(self, case: Case) -> Calendar | None:
        """Where it was found."""
        return case.finding.calendar

    @admin.display(description="Event")
    def event(self, case: Case) -> str:
        """The event's page, with its history; a brake on a whole calendar has none."""
        pk = case.finding.event_id
        if pk is None:
            return "-"
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">event {}</a>',
            reverse("admin:calendars_event_change", args=[pk]),
            pk,
        )

    @admin.display(description="Decision")
    def decision(self, case: Case) -> str:
        """What was decided, in words."""
        return Decision(case.finding.decision).label if case.finding.decision else "-"

    def get_urls(self) -> list[URLPattern]:
        """The pages of the model, and one for deciding."""
        decide = self.admin_site.admin_view(self.decide_view)
        own = path("<path:object_id>/decide/<slug:decision>/", decide, name="conflicts_case_decide")
        return [own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One case, with what it keeps for those who may see it, and a button for each decision that is open."""
        case = self.get_object(request, unquote(object_id))
        shown = {} if case is None else self._panel(request, case)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def _panel(self, request: HttpRequest, case: Case) -> dict[str, Any]:
        kept = values_for(request.user, case)
        if kept and request.user.pk != case.person_id:
            record("content.seen", target=case, now=timezone.now())
        return {
            "case": case,
            "choices": choices(case.finding) if self.has_decide_permission(request, case) else (),
            "may_see_values": may_see_kept(request.user, case.finding),
            "kept": kept,
        }

    def decide_view(self, request: HttpRequest, object_id: str, decision: str) -> HttpResponse:
        """Say what will happen and ask why; then decide."""
        case = self.get_object(request, unquote(object_id))
        if case is None:
            raise Http404
        if not self.has_decide_permission(request, case) or not isinstance(request.user, User):
            raise PermissionDenied
        choice = _choice(case, decision)
        page = reverse("admin:conflicts_case_change", args=[case.pk])
        if choice is None:
            self.message_user(request, "This is not to be decided any more.", messages.WARNING)
            return HttpResponseRedirect(page)
        form = ReasonForm(request.POST or None)
        if form.is_valid():
            self._decide(request, [case], choice.decision, form.cleaned_data["reason"])
            return HttpResponseRedirect(page)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{choice.label}?",
            "opts": self.model._meta,
            "form": form,
            "case": case,
            "choice": choice,
            "page": page,
        }
        return TemplateResponse(request, "conflicts/decide.html", context)

    def _decide(self, request: HttpRequest, cases: list[Case], decision: Decision, reason: str) -> None:
        """Decide each case by itself, and tell what happens next."""
        by, now = request.user, timezone.now()
        assert isinstance(by, User)
        for case in cases:
            try:
                told = decide_case(case=case, decision=decision, by=by, reason=reason, now=now)
                self.message_user(request, f"Case {case.pk}: {told}", messages.SUCCESS)
            except ValidationError as error:
                self.message_user(request, f"Case {case.pk}: {' '.join(error.messages)}", messages.ERROR)

    @admin.action(description="Release or approve what was held ...", permissions=["decide"])
    def release_chosen(self, request: HttpRequest, queryset: QuerySet[Case]) -> HttpResponse | None:
        """Carry out what brakes held."""
        return self._decide_chosen(request, queryset, Decision.RELEASE)

    @admin.action(description="Put back what was held ...", permissions=["decide"])
    def put_back_chosen(self, request: HttpRequest, queryset: QuerySet[Case]) -> HttpResponse | None:
        """Make held deletions undone."""
        return self._decide_chosen(request, queryset, Decision.PUT_BACK)

    @admin.action(description="Take the other version ...", permissions=["decide"])
    def swap_chosen(self, request: HttpRequest, queryset: QuerySet[Case]) -> HttpResponse | None:
        """Swap the versions."""
        return self._decide_chosen(request, queryset, Decision.SWAP)

    @admin.action(description="Leave as it is ...", permissions=["decide"])
    def accept_chosen(self, request: HttpRequest, queryset: QuerySet[Case]) -> HttpResponse | None:
        """Change nothing."""
        return self._decide_chosen(request, queryset, Decision.ACCEPT)

    @admin.action(description="Refuse ...", permissions=["decide"])
    def refuse_chosen(self, request: HttpRequest, queryset: QuerySet[Case]) -> HttpResponse | None:
        """Refuse what waits for an approval."""
        return self._decide_chosen(request, queryset, Decision.REFUSE)

    def _decide_chosen(self, request: HttpRequest, queryset: QuerySet[Case], decision: Decision) -> HttpResponse | None:
        return self.with_reason(
            request, queryset, title=f"{decision.label}: the chosen cases", do=self._decider(request, decision)
        )

    def _decider(self, request: HttpRequest, decision: Decision) -> Callable[[QuerySet[Case], str], str]:
        def do(cases: QuerySet[Case], reason: str) -> str:
            chosen = list(cases.select_related("finding").order_by("pk"))
            fitting = [case for case in chosen if _choice(case, decision) is not None]
            self._decide(request, fitting, decision, reason)
            left = len(chosen) - len(fitting)
            decided = "1 case was decided" if len(fitting) == 1 else f"{len(fitting)} cases were decided"
            return decided + (f"; for {left} this is not open." if left else ".")

        return do


def _choice(case: Case, decision: str) -> Choice | None:
    return next((choice for choice in choices(case.finding) if choice.decision == decision), None)
