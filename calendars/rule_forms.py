"""The forms of the console's pages of rules: conditions and effects are written as YAML."""

from __future__ import annotations

from typing import Any, cast

import yaml
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import User
from accounts.models.health import MAX_REASON
from calsync.engine.events import Platform
from syncrules.models import Rule, RuleScope
from syncrules.names import Names
from syncrules.services import require_newest
from syncrules.written import Draft, Whom, require_valid

MAX_FILE = 1_000_000


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
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: as a form takes them
        super().__init__(*args, **kwargs)
        stored = self.instance.conditions
        self.initial.update(seen=self.instance.version, conditions=Names.of([stored]).shown(stored))

    class Meta:
        model = Rule
        fields = ("name", "scope", "org_unit", "group", "person", "is_enabled", "conditions", "effects")

    def clean(self) -> dict[str, Any]:
        """The target that belongs to the scope is there, and the rule says something that can be done."""
        cleaned = super().clean() or {}
        self._tell_of_others(cleaned.get("seen"))
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

    def _tell_of_others(self, seen: int | None) -> None:
        """What others saved while this was being written; sent again, the form knows of it."""
        if self.instance.pk is None or seen is None:
            return
        try:
            require_newest(rule=self.instance, seen=seen)
        except ValidationError as error:
            self.add_error(None, error)
            sent = cast(QueryDict, self.data).copy()
            sent["seen"] = str(self.instance.version)
            self.data = sent

    def draft(self) -> Draft:
        """What the form says."""
        chosen = self.cleaned_data
        scope = RuleScope(chosen["scope"])
        target = {} if scope is RuleScope.EVERYBODY else {scope.value: chosen[scope.value]}
        return Draft(
            chosen["name"], Whom(scope, **target), chosen["conditions"], chosen["effects"], chosen["is_enabled"]
        )


class ReopenedRuleForm(RuleForm):
    """What somebody wrote, back on the page of the form: with its problems, and never to be saved from there."""

    def is_valid(self) -> bool:
        """Never: rules are made by the page that shows what they change."""
        return False


class FileForm(forms.Form):
    """Rules as YAML, as a file or pasted."""

    file = forms.FileField(required=False, help_text="as it was exported", widget=UnfoldAdminFileFieldWidget)
    text = forms.CharField(
        required=False,
        max_length=MAX_FILE,
        label="Or its text",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12, "spellcheck": "false", "class": "font-mono"}),
    )
    reason = forms.CharField(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget)

    def clean(self) -> dict[str, Any]:
        """The text, wherever it stands."""
        cleaned = super().clean() or {}
        if (file := cleaned.get("file")) is not None:
            cleaned["text"] = self._text_of(file)
        if not cleaned.get("text", "").strip() and not self.errors:
            self.add_error("file", "Choose a file, or paste its text.")
        return cleaned

    def _text_of(self, file: UploadedFile) -> str:
        if (file.size or 0) > MAX_FILE:
            self.add_error("file", "The file is longer than a million characters.")
            return ""
        try:
            return file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            self.add_error("file", "The file is no UTF-8.")
            return ""


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
