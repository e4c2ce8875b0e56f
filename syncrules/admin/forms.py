"""The forms of the console's pages of rules: conditions and effects are written as YAML."""

from __future__ import annotations

from typing import Any

import yaml
from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.models import User
from accounts.models.health import MAX_REASON
from calsync.engine.events import Platform
from syncrules.models import Rule, RuleScope
from syncrules.written import Draft, Whom, require_valid


class YamlField(forms.CharField):
    """A mapping written as YAML."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 8, "spellcheck": "false", "class": "font-mono"})

    def to_python(self, value: Any) -> Any:  # Any: what YAML holds
        """What was written, as data."""
        try:
            return yaml.safe_load(super().to_python(value) or "{}")
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            raise ValidationError(f"This is no YAML{f': see line {mark.line + 1}' if mark else ''}.") from None

    def prepare_value(self, value: Any) -> Any:  # Any: data, or the text that was sent
        """Data as it would be written."""
        if isinstance(value, str):
            return value
        return yaml.safe_dump(value, sort_keys=False, allow_unicode=True) if value else ""


class RuleForm(forms.ModelForm):
    """A rule, checked as the service will check it."""

    conditions = YamlField(required=False, help_text="Each line must hold; empty: every event. All words: see below.")
    effects = YamlField(required=False, help_text="Empty: it travels, with everything.")
    why = forms.CharField(
        max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget, help_text="kept in the rule's history"
    )

    class Meta:
        model = Rule
        fields = ("name", "scope", "org_unit", "group", "person", "is_enabled", "conditions", "effects")

    def clean(self) -> dict[str, Any]:
        """The target that belongs to the scope is there, and the rule says something that can be done."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        scope = RuleScope(cleaned["scope"])
        if scope is not RuleScope.EVERYBODY and cleaned[scope.value] is None:
            self.add_error(scope.value, "Say which one.")
            return cleaned
        try:
            require_valid(self.draft())
        except ValidationError as error:
            for name, problems in error.message_dict.items():
                self.add_error(name, problems)
        return cleaned

    def _post_clean(self) -> None:
        """Leave the row alone: the service writes it. A name that is taken is told here."""
        name = self.cleaned_data.get("name", "")
        if Rule.objects.filter(name__iexact=name).exclude(pk=self.instance.pk).exists():
            self.add_error("name", "Another rule has this name.")

    def draft(self) -> Draft:
        """What the form says."""
        chosen = self.cleaned_data
        scope = RuleScope(chosen["scope"])
        target = {} if scope is RuleScope.EVERYBODY else {scope.value: chosen[scope.value]}
        return Draft(
            chosen["name"], Whom(scope, **target), chosen["conditions"], chosen["effects"], chosen["is_enabled"]
        )


class RestoreForm(forms.Form):
    """Which version comes back, and why."""

    number = forms.IntegerField(min_value=1, widget=UnfoldAdminTextInputWidget, label="Version")
    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)


class MoveForm(forms.Form):
    """Where in its scope's order a rule goes, and why."""

    position = forms.IntegerField(min_value=1, widget=UnfoldAdminTextInputWidget, help_text="1 is asked first")
    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)


class TryForm(forms.Form):
    """An event and a person."""

    person = forms.CharField(widget=UnfoldAdminTextInputWidget, help_text="whose calendar it is in: an e-mail address")
    colleague = forms.CharField(
        required=False, widget=UnfoldAdminTextInputWidget, help_text="ask for the copy in this colleague's calendar"
    )
    source = forms.ChoiceField(
        choices=[("", "as the event says"), *((side.value, side.value) for side in Platform)],
        required=False,
        widget=UnfoldAdminSelectWidget,
        label="Made in",
    )
    event = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12, "spellcheck": "false"}),
        help_text="Graph JSON, Google JSON or iCalendar. It is not stored.",
    )

    def clean_person(self) -> User:
        """The person of that address."""
        return _person(self.cleaned_data["person"])

    def clean_colleague(self) -> User | None:
        """The colleague of that address."""
        address = self.cleaned_data["colleague"]
        return _person(address) if address else None


def _person(address: str) -> User:
    person = User.objects.filter(email=address.strip().lower()).first()
    if person is None:
        raise ValidationError("There is no such person.")
    return person
