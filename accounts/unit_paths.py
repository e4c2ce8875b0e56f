"""Paths of org units as text: ``/Sales/EMEA``. Values only, no rows."""

from __future__ import annotations

MAX_NAME = 100
MAX_PATH = 500


def parse_path(text: str) -> str:
    """The path in its one spelling; raises ValueError with a sentence for a person."""
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is not an org unit path: it must begin with /, such as /Sales/EMEA")
    names = [name.strip() for name in text[1:].split("/")]
    if not all(names):
        raise ValueError(f"{text!r} is not an org unit path: a name between two slashes is empty")
    if any(len(name) > MAX_NAME for name in names):
        raise ValueError(f"an org unit name is longer than {MAX_NAME} characters")
    path = "/" + "/".join(names)
    if len(path) > MAX_PATH:
        raise ValueError(f"the org unit path is longer than {MAX_PATH} characters")
    return path


def lineage(path: str) -> list[str]:
    """The path and all above it, from the root down: ``/Sales``, ``/Sales/EMEA``."""
    names = path.strip("/").split("/")
    return ["/" + "/".join(names[:depth]) for depth in range(1, len(names) + 1)]


def parent_of(path: str) -> str:
    """The path of the unit above; '' for a root."""
    return path.rpartition("/")[0]


def name_of(path: str) -> str:
    """The last name of the path."""
    return path.rpartition("/")[2]


def is_within(path: str, unit: str) -> bool:
    """Whether ``path`` is ``unit`` or lies below it."""
    return path == unit or path.startswith(unit + "/")
