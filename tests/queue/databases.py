"""Databases for installations of their own: migrated and mapped once, copied for every test.

On the pass over PostgreSQL they live on that server, else each is an SQLite file.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

SERVER = os.environ.get("CALSYNC_TEST_DATABASE_URL", "")


@contextmanager
def empty_database(folder: Path) -> Iterator[str]:
    """The address of a new database; it is gone when the block ends."""
    if not SERVER:
        yield f"sqlite:///{folder / 'calsync.sqlite3'}"
        return
    name = f"calsync_{uuid.uuid4().hex[:12]}"
    _order(f"CREATE DATABASE {name}")
    try:
        yield urlsplit(SERVER)._replace(path=f"/{name}").geturl()
    finally:
        _order(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def copy_of(url: str, folder: Path) -> Iterator[str]:
    """A copy of a database that nobody is connected to."""
    if not SERVER:
        shutil.copy(url.removeprefix("sqlite:///"), folder / "calsync.sqlite3")
        yield f"sqlite:///{folder / 'calsync.sqlite3'}"
        return
    name = f"calsync_{uuid.uuid4().hex[:12]}"
    _order(f"CREATE DATABASE {name} TEMPLATE {urlsplit(url).path.strip('/')}")
    try:
        yield urlsplit(SERVER)._replace(path=f"/{name}").geturl()
    finally:
        _order(f"DROP DATABASE {name} WITH (FORCE)")


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Rows of one statement, read beside the processes that use the database."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=20)) as connection:
            return connection.execute(statement).fetchall()
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[call-overload]


def _order(statement: str) -> None:
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]
