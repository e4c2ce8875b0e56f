"""Saving changed rows: many of one model with one prepared statement.

``bulk_update`` builds a branch per row and column of one great CASE; for a page of events that costs more than all the
rest of a turn. What does not live here: which rows change (``store``, ``settle``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


def update_rows(rows: Collection[Row], fields: Sequence[str]) -> None:
    """Write these fields of rows that exist, in the caller's transaction. Plain values only, no expressions."""
    if not rows:
        return
    meta = next(iter(rows))._meta
    named = {column.name: column for column in meta.concrete_fields}
    columns = [named[name] for name in fields]
    quote = connection.ops.quote_name
    setting = ", ".join(f"{quote(str(column.column))} = %s" for column in columns)
    statement = f"UPDATE {quote(meta.db_table)} SET {setting} WHERE {quote('id')} = %s"  # noqa: S608 - our own names
    values = [
        [*(column.get_db_prep_save(getattr(row, column.attname), connection) for column in columns), row.pk]
        for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)
