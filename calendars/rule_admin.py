"""The console's pages of rules: the list, the form with the language beside it, history, order, files and trying.

What lives here: how each way of changing rules is asked for. What does not: the page that shows what the change does
before it is made (``rule_preview``).
"""

from __future__ import annotations

from typing import Any

import yaml
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action

from accounts.console import ReadOnlyAdmin
from accounts.models import User
from calendars.rule_forms import FileForm, MoveForm, ReopenedRuleForm, RestoreForm, RuleForm, TryForm
from calendars.rule_preview import EDIT, Asked, WeighsChanges
from calsync.engine.events import Platform
from calsync.engine.rules.effects import EFFECTS
from calsync.engine.rules.language import CONDITIONS
from syncrules.models import Mention, Rule, RuleVersion
from syncrules.names import Names
from syncrules.selectors import compare_versions, versions_of
from syncrules.services import change_rule, create_rule, import_rules, move_rule, restore_version
from syncrules.services.exchange import ImportLine, export_rules
from syncrules.trying import CannotTry, try_rules
from syncrules.written import problems_of

LIST = "admin:syncrules_rule_changelist"


@admin.register(Rule)
class RuleAdmin(WeighsChanges):
    """Rules by scope and order. What a change does is shown before it is made; each one is a version."""

    list_display = ("name", "target", "position", "is_enabled", "label", "changed_at", "changed_by", "trouble")
    list_filter = ("scope", "is_enabled")
    list_select_related = ("org_unit", "group", "person", "changed_by")
    search_fields = ("name", "org_unit__path", "group__name", "person__email")
    autocomplete_fields = ("org_unit", "group", "person")
    fields = ("name", "scope", "org_unit", "group", "person", "is_enabled", "conditions", "effects", "why", "seen")
    change_form_after_template = "syncrules/language.html"
    actions_list = ("try_it", "import_file", "export_file")
    actions_detail = ("history_of_rule", "move")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody: a rule is taken out of force, so that what it decided stays explainable."""
        return False

    def has_import_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - the theme's
        """A file may make rules and change them."""
        return self.has_add_permission(request) and self.has_change_permission(request)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """With what is wrong with rules that were in order once, looked up for the whole page."""
        page = super().get_changelist_instance(request)
        troubles = problems_of(page.result_list)
        for rule in page.result_list:
            rule.trouble = " ".join(troubles.get(rule.pk, []))
        return page

    @admin.display(description="Problem")
    def trouble(self, rule: Any) -> str:  # Any: a row with its problems
        """What is wrong with it by now."""
        return rule.trouble or "-"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """What is sent comes back to this page only to be corrected."""
        kwargs.setdefault("form", ReopenedRuleForm if request.method == "POST" else RuleForm)
        return super().get_form(request, obj, change, **kwargs)

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """The form with every word of the language below it; what is sent leads to what it would change."""
        if request.method == "POST" and EDIT not in request.POST and (answer := self._weigh_form(request, object_id)):
            return answer
        if request.method == "GET" and object_id and (rule := self.get_object(request, unquote(object_id))):
            for sentence in problems_of([rule]).get(rule.pk, []):
                self.message_user(request, f"{sentence} The rule matches nobody there.", messages.WARNING)
        shown = {
            "conditions_known": CONDITIONS.items(),
            "effects_known": EFFECTS.items(),
            "show_save_and_continue": False,
            "show_save_and_add_another": False,
        }
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def _weigh_form(self, request: HttpRequest, object_id: Any) -> HttpResponse | None:
        rule = self.get_object(request, unquote(object_id)) if object_id else None
        allowed = self.has_change_permission(request, rule) if object_id else self.has_add_permission(request)
        if not allowed or (object_id and rule is None):
            return None  # the page says so itself
        form = self.get_form(request, rule, change=rule is not None, form=RuleForm)(request.POST, instance=rule)
        if not form.is_valid():
            return None
        draft, why, by, seen = form.draft(), form.cleaned_data["why"], _actor(request), form.cleaned_data["seen"]

        def change() -> Rule:
            now = timezone.now()
            if rule is None:
                return create_rule(draft=draft, by=by, why=why, now=now)
            return change_rule(rule=rule, draft=draft, by=by, why=why, now=now, seen=seen)

        title = f"Before the rule {draft.name} is saved"
        return self.weigh(request, Asked(change, why, title, f"The rule {draft.name} is saved.", reverse(LIST)))

    @action(description="Versions", url_path="versions", permissions=["change"])
    def history_of_rule(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Every version with what it changed; one of them can be restored."""
        rule = get_object_or_404(Rule, pk=object_id)
        form = RestoreForm(request.POST or None)
        if form.is_valid() and EDIT not in request.POST:
            number, why, by = form.cleaned_data["number"], form.cleaned_data["reason"], _actor(request)

            def change() -> Rule:
                return restore_version(rule=rule, number=number, by=by, why=why, now=timezone.now())

            title, done = f"Before version {number} of {rule} is restored", f"Version {number} is restored."
            if answer := self.weigh(request, Asked(change, why, title, done, _page_of(rule))):
                return answer
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
        if form.is_valid() and EDIT not in request.POST:
            place, why, by = form.cleaned_data["position"], form.cleaned_data["reason"], _actor(request)

            def change() -> Rule:
                return move_rule(rule=rule, position=place, by=by, why=why, now=timezone.now())

            asked = Asked(change, why, f"Before the rule {rule} is moved", f"The rule {rule} is moved.", _page_of(rule))
            if answer := self.weigh(request, asked):
                return answer
        return self._page(request, "console/ask.html", f"Move {rule}", form=form)

    @action(description="Import a file", url_path="import", permissions=["import"])
    def import_file(self, request: HttpRequest) -> HttpResponse:
        """Make the rules of a file so."""
        form = FileForm(request.POST or None, request.FILES or None)
        if form.is_valid() and EDIT not in request.POST:
            text, why, by = form.cleaned_data["text"], form.cleaned_data["reason"], _actor(request)

            def change() -> list[ImportLine]:
                return import_rules(text=text, by=by, why=why, now=timezone.now())

            title, done = "Before the file is imported", "The rules are as the file says."
            asked = Asked(
                change, why, title, done, reverse(LIST), told=_lines_told, is_always_shown=True, sent={"text": text}
            )
            if answer := self.weigh(request, asked):
                return answer
        return self._page(request, "calendars/rule_file.html", "Import rules", form=form)

    @action(description="Export", url_path="export", permissions=["view"])
    def export_file(self, request: HttpRequest) -> HttpResponse:  # noqa: ARG002 - an action's signature
        """Every rule as a file that can be imported."""
        attached = {"Content-Disposition": 'attachment; filename="rules.yaml"'}
        return HttpResponse(export_rules(), content_type="application/yaml; charset=utf-8", headers=attached)

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
    fields = ("rule", "number", "as_written", "made_at", "made_by", "reason")
    readonly_fields = fields

    @admin.display(description="Written")
    def as_written(self, version: RuleVersion) -> str:
        """As in an export, with the names of today."""
        text = yaml.safe_dump(Names.of([version.written]).shown(version.written), sort_keys=False, allow_unicode=True)
        return format_html('<pre class="whitespace-pre-wrap">{}</pre>', text)


@admin.register(Mention)
class MentionAdmin(ReadOnlyAdmin):
    """Which units and groups conditions name, and so keep from being deleted."""

    list_display = ("rule", "org_unit", "group")
    list_select_related = ("rule", "org_unit", "group")
    search_fields = ("rule__name", "org_unit__path", "group__name")
    fields = ("rule", "org_unit", "group")


def _actor(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _page_of(rule: Rule) -> str:
    return reverse("admin:syncrules_rule_change", args=[rule.pk])


def _lines_told(lines: list[ImportLine]) -> list[str]:
    return [f"{line.name}: {line.outcome}" for line in lines]
