"""The console's pages of rules: the list, the form with the language beside it, history, order and trying."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action

from accounts.console import ReadOnlyAdmin
from accounts.models import User
from calsync.engine.events import Platform
from calsync.engine.rules.effects import EFFECTS
from calsync.engine.rules.language import CONDITIONS
from syncrules.admin.forms import MoveForm, RestoreForm, RuleForm, TryForm
from syncrules.models import Rule, RuleVersion
from syncrules.selectors import compare_versions, versions_of
from syncrules.services import change_rule, create_rule, move_rule, restore_version
from syncrules.trying import CannotTry, try_rules


@admin.register(Rule)
class RuleAdmin(ModelAdmin):
    """Rules by scope and order. Every change goes through the services and leaves a version."""

    form = RuleForm
    list_display = ("name", "target", "position", "is_enabled", "label", "changed_at", "changed_by")
    list_filter = ("scope", "is_enabled")
    list_select_related = ("org_unit", "group", "person", "changed_by")
    search_fields = ("name", "org_unit__path", "group__name", "person__email")
    autocomplete_fields = ("org_unit", "group", "person")
    fields = ("name", "scope", "org_unit", "group", "person", "is_enabled", "conditions", "effects", "why")
    change_form_after_template = "syncrules/language.html"
    actions_list = ("try_it",)
    actions_detail = ("history_of_rule", "move")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody: a rule is taken out of force, so that what it decided stays explainable."""
        return False

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """With every word of the language below the form."""
        words = {"conditions_known": CONDITIONS.items(), "effects_known": EFFECTS.items()}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **words})

    def save_model(self, request: HttpRequest, obj: Rule, form: forms.ModelForm, change: bool) -> None:
        """Through the service."""
        draft, why = form.draft(), form.cleaned_data["why"]  # type: ignore[attr-defined]  # it is a RuleForm
        by, now = _actor(request), timezone.now()
        saved = (
            change_rule(rule=obj, draft=draft, by=by, why=why, now=now)
            if change
            else create_rule(draft=draft, by=by, why=why, now=now)
        )
        obj.pk = saved.pk

    @action(description="Versions", url_path="versions", permissions=["change"])
    def history_of_rule(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Every version with what it changed; one of them can be restored."""
        rule = get_object_or_404(Rule, pk=object_id)
        form = RestoreForm(request.POST or None)
        if form.is_valid():
            chosen = form.cleaned_data
            done = self._try(
                request,
                lambda: restore_version(
                    rule=rule, number=chosen["number"], by=_actor(request), why=chosen["reason"], now=timezone.now()
                ),
            )
            if done:
                return self._back_to(rule)
        versions = versions_of(rule)
        told = [
            (after, compare_versions(before, after))
            for after, before in zip(versions, [*versions[1:], None], strict=True)
        ]
        return self._page(request, "syncrules/versions.html", f"History of {rule}", form=form, told=told)

    @action(description="Move", url_path="move", permissions=["change"])
    def move(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Ask for the place in its scope's order."""
        rule = get_object_or_404(Rule, pk=object_id)
        form = MoveForm(request.POST or None, initial={"position": rule.position})
        if form.is_valid():
            place, why = form.cleaned_data["position"], form.cleaned_data["reason"]
            move_rule(rule=rule, position=place, by=_actor(request), why=why, now=timezone.now())
            return self._back_to(rule)
        return self._page(request, "console/ask.html", f"Move {rule}", form=form)

    @action(description="Try it", url_path="try", permissions=["view"])
    def try_it(self, request: HttpRequest) -> HttpResponse:
        """Which rule decides about an event, why, and what the other side would show."""
        form = TryForm(request.POST or None)
        tried = None
        if form.is_valid():
            chosen = form.cleaned_data
            source = Platform(chosen["source"]) if chosen["source"] else None
            try:
                tried = try_rules(
                    text=chosen["event"],
                    person=chosen["person"],
                    colleague=chosen["colleague"],
                    source=source,
                    now=timezone.now(),
                )
            except CannotTry as error:
                form.add_error("event", str(error))
        return self._page(request, "syncrules/try.html", "Try the rules", form=form, tried=tried)

    def _try(self, request: HttpRequest, do: Any) -> bool:
        try:
            do()
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return False
        return True

    def _back_to(self, rule: Rule) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:syncrules_rule_change", args=[rule.pk]))

    def _page(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "title": title, "opts": self.model._meta}
        return TemplateResponse(request, template, {**shared, **context})


@admin.register(RuleVersion)
class RuleVersionAdmin(ReadOnlyAdmin):
    """Every change of every rule, the newest first."""

    list_display = ("rule", "number", "made_at", "made_by", "reason")
    list_select_related = ("rule", "made_by")
    search_fields = ("rule__name", "reason")
    ordering = ("-made_at", "-pk")
    fields = ("rule", "number", "written", "made_at", "made_by", "reason")


def _actor(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
