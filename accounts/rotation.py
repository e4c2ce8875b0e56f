"""Sealing anew with the newest key, while everything else goes on.

What lives here: which columns are sealed, and carrying each value over. What does not: the keys (``sealing``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import Model, QuerySet, TextField, Value
from django.db.models.functions import Cast

from accounts.progress import Report, silent
from accounts.sealing import SealBroken, resealed, sealed_fields
from accounts.trail import record

BATCH = 200
PASSES = 4
"""A column has been carried over when a pass finds nothing to do; somebody who still writes with an older key undoes
what an earlier pass did."""


@dataclass(slots=True)
class Column:
    """One sealed column and what became of its values."""

    model: type[Model]
    field: str
    values: int = 0
    resealed: int = 0
    left: int = 0  # still sealed with an older key: somebody with the older settings keeps writing them
    broken: int = 0  # opened by none of the keys

    @property
    def name(self) -> str:
        """For a person: ``calendars.Event.content``."""
        return f"{self.model._meta.label}.{self.field}"

    def rows(self) -> QuerySet[Model]:
        """The rows with a value, each with the column as it stands in the database (``as_it_stands``)."""
        filled = self.model._default_manager.exclude(**{f"{self.field}__isnull": True})
        # Cast: as plain text the column is read and compared without being opened.
        return filled.annotate(as_it_stands=Cast(self.field, TextField())).exclude(as_it_stands="")


def sealed_columns() -> list[Column]:
    """Every sealed column of the installation."""
    return [Column(model, field) for model in apps.get_models() for field in sealed_fields(model)]


def rotate(*, now: datetime, progress: Report = silent) -> list[Column]:
    """Seal every value with the newest key. Broken off, it is simply begun again: what is done is not done twice.

    A value that changes between our look and our write is not written over.
    """
    columns = sealed_columns()
    for column in columns:
        for _ in range(PASSES):
            if not _pass(column, progress):
                break
    record("keys.rotated", now=now, resealed=sum(column.resealed for column in columns))
    return columns


def _pass(column: Column, progress: Report) -> int:
    """Go through a column once; returns how many values were found on an older key that can be opened."""
    total, done = column.rows().count(), column.resealed
    column.values, column.left, column.broken = 0, 0, 0
    for batch in _batches(column):
        _reseal(column, batch)
        progress(column.name, min(column.values, total), total)
    column.left += column.resealed - done  # as far as this pass knows: the next one finds none of them, or others
    return column.left


def is_newest(sealed: str) -> bool:
    """Whether a value as it stands in the database is sealed with the newest key."""
    try:
        Fernet(settings.CALSYNC_SEALING_KEYS[0]).decrypt(sealed)
    except InvalidToken:
        return False
    return True


def _batches(column: Column) -> Iterator[list[tuple[object, str]]]:
    last: object = None
    while True:
        rows = column.rows().order_by("pk")
        rows = rows if last is None else rows.filter(pk__gt=last)
        batch = list(rows.values_list("pk", "as_it_stands")[:BATCH])
        if not batch:
            return
        yield batch
        last = batch[-1][0]


def _reseal(column: Column, batch: list[tuple[object, str]]) -> None:
    column.values += len(batch)
    old = [(pk, value) for pk, value in batch if not is_newest(value)]
    with transaction.atomic():
        for pk, value in old:
            try:
                fresh = Value(resealed(value), output_field=TextField())
            except SealBroken:
                column.broken += 1
                continue
            done = column.rows().filter(pk=pk, as_it_stands=value).update(**{column.field: fresh})
            column.resealed += done
            column.left += not done
