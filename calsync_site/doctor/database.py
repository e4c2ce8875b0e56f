"""Database: can it be reached, is its scheme up to date, is SQLite set so that processes may share it."""

from __future__ import annotations

import socket

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError

from calsync_site.doctor.finding import Finding, ok, problem, warning

KNOCK_SECONDS = 5.0


def look_at_database() -> list[Finding]:
    """Problems here make every question to the tables pointless."""
    try:
        _knock()
        pending = _pending_migrations()
        journal = _journal_mode()
    except (DatabaseError, OSError) as error:
        text = f"The database cannot be used ({type(error).__name__})."
        return [problem("database", text, "Check DATABASE_URL, and that the server runs and lets us in.")]
    if pending:
        text = f"{len(pending)} migrations are not applied, the first is {pending[0]}."
        return [problem("database", text, "manage.py migrate")]
    found = [ok("database", f"{connection.display_name} is reachable and all migrations are applied.")]
    if journal not in {"", "wal", "memory"}:
        text = f"SQLite's journal mode is {journal}: readers and writers get in each other's way."
        found.append(warning("database.journal", text, "Keep the file on a local disk: write-ahead logging needs one."))
    return found


def _knock() -> None:
    """Raise OSError soon when a database server does not answer: its own client would wait for minutes."""
    host, port = connection.settings_dict.get("HOST"), connection.settings_dict.get("PORT")
    if host and not str(host).startswith("/"):  # else a socket in the file system
        socket.create_connection((str(host), int(port or 5432)), timeout=KNOCK_SECONDS).close()


def _pending_migrations() -> list[str]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def _journal_mode() -> str:
    """SQLite's journal mode; '' for other databases."""
    if connection.vendor != "sqlite":
        return ""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        return str(cursor.fetchone()[0]).lower()
