"""Try the rules on one event."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management import CommandError
from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.models import User
from calsync.engine import serial
from calsync.engine.events import Platform
from calsync.engine.masking import dump
from calsync.engine.rules.book import Looked
from calsync.engine.rules.condition import Answer
from syncrules.trying import CannotTry, Tried, try_rules


class Command(BaseCommand):
    """``manage.py try_rule``."""

    help = (
        "Tell which rule decides about an event, each condition with its reason, and what the other side would show. "
        "EVENT is a file with one event as Graph JSON, Google JSON or iCalendar; - reads it from the standard input. "
        "Nothing is stored or synced. Exit 0: told; 2: a wrong call, or the file holds no event."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What, whose and how."""
        parser.add_argument("event", metavar="EVENT.json", help="a file with one event; - for the standard input")
        parser.add_argument("--person", metavar="EMAIL", required=True, help="whose calendar the event is in")
        parser.add_argument(
            "--colleague", metavar="EMAIL", help="ask for the copy in this colleague's calendar instead"
        )
        parser.add_argument("--source", choices=[*Platform], help="where the event was made (iCalendar: outlook)")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, try, print."""
        source = Platform(options["source"]) if options["source"] else None
        colleague = _person(options["colleague"]) if options["colleague"] else None
        try:
            tried = try_rules(
                text=_text(options["event"]),
                person=_person(options["person"]),
                colleague=colleague,
                source=source,
                now=timezone.now(),
            )
        except CannotTry as error:
            raise CommandError(str(error), returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps(as_json(tried), indent=2))
        else:
            self.stdout.write("\n".join(as_text(tried)))


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8"
        raise CommandError(f"{file} cannot be read: {why}.", returncode=2) from None


def _person(email: str) -> User:
    person = User.objects.filter(email=email.strip().lower()).first()
    if person is None:
        raise CommandError(f"Nobody here has the address {email}.", returncode=2)
    return person


def as_text(tried: Tried) -> Iterator[str]:
    """The verdict for a reader, line by line."""
    rule = tried.verdict.rule
    yield f"{rule.name} decides{f' ({rule.label}, for {rule.scope})' if rule.label else ''}."
    yield f"From {tried.source} to {tried.target}: {tried.verdict.treatment.passage}."
    yield "\nWhat was asked"
    for looked in tried.verdict.trace:
        yield f"  {'+' if looked.answer.ok else '-'} {looked.rule.name}"
        yield from _answer_lines(looked.answer, depth=2)
    yield "\nWhat the other side would show"
    yield from (f"  {name}: {value}" for name, value in _shown(tried).items())
    if tried.shown is None:
        yield "  Nothing now."


def _answer_lines(answer: Answer, *, depth: int) -> Iterator[str]:
    if not answer.parts:
        yield f"{'  ' * depth}{answer.reason}"
    for part in answer.parts:
        yield f"{'  ' * depth}{'+' if part.ok else '-'} {part.name}: {part.reason}"
        if part.parts:
            yield from _answer_lines(part, depth=depth + 1)


def _shown(tried: Tried) -> dict[str, str]:
    if tried.shown is None:
        return {}
    content = tried.shown.content
    fields = {"title": content.title, "place": content.location, "text": content.body, "shown as": content.show_as}
    return {name: str(value) for name, value in fields.items() if value}


def as_json(tried: Tried) -> dict[str, Any]:
    """The machine-readable verdict; the keys are a contract. ``shown`` is null where nothing would stand now."""
    rule = tried.verdict.rule
    return {
        "rule": rule.label or None,
        "name": rule.name,
        "scope": rule.scope,
        "source": tried.source,
        "target": tried.target,
        "treatment": {"passage": tried.verdict.treatment.passage, **dump(tried.verdict.treatment)},
        "trace": [_looked_json(looked) for looked in tried.verdict.trace],
        "shown": None if tried.shown is None else serial.dump(tried.shown),
    }


def _looked_json(looked: Looked) -> dict[str, Any]:
    rule = looked.rule
    return {"rule": rule.label or None, "name": rule.name, "scope": rule.scope, **_answer_json(looked.answer)}


def _answer_json(answer: Answer) -> dict[str, Any]:
    return {
        "ok": answer.ok,
        "reason": answer.reason,
        "conditions": [{"condition": part.name, **_answer_json(part)} for part in answer.parts],
    }
