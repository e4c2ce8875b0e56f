"""Who acts in a process of ours that no person has logged in to: for the audit trail."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import PurePath

from accounts.models import Origin
from accounts.trail import Acting

_BACKGROUND = {"qcluster", "worker"}


def actor_of_process(arguments: Sequence[str]) -> Acting | None:
    """The worker, or the operating system's user who runs a command; None for anything else, such as a web server."""
    if PurePath(arguments[0]).name != "manage.py" or len(arguments) < 2:
        return None
    if arguments[1] in _BACKGROUND:
        return Acting(Origin.WORKER, name="worker")
    return Acting(Origin.COMMAND, name=f"{_system_user()}, manage.py {arguments[1]}")


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in this container
        return "unknown user"
