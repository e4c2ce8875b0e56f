"""The way into every command: what stops CalSync before the command itself can say so ends in a sentence.

``--traceback`` shows the whole of it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError, ProgrammingError

from accounts.sealing import SealBroken

WORK_IS_LEFT, USAGE_OR_CONFIGURATION = 1, 2
_OUT_OF_DATE = ("no such table", "no such column", "does not exist")


def run(arguments: Sequence[str]) -> None:
    """Run a command of ``manage.py``.

    Exits with a sentence: with 2 when the settings or the database's tables are not ready for it, with 1 when the
    database cannot be reached or went away.
    """
    try:
        execute_from_command_line(list(arguments))
    except (ImproperlyConfigured, SealBroken, OperationalError, ProgrammingError) as error:
        if "--traceback" in arguments:
            raise
        code, sentence = ending_for(error)
        print(sentence, file=sys.stderr)
        sys.exit(code)


def ending_for(error: Exception) -> tuple[int, str]:
    """The exit code; what is wrong and what to do."""
    words = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if isinstance(error, ImproperlyConfigured):
        return USAGE_OR_CONFIGURATION, f"CalSync is not configured: {words}"
    if isinstance(error, SealBroken):
        return USAGE_OR_CONFIGURATION, f"{words} {error.remedy}"
    if any(sign in words for sign in _OUT_OF_DATE):
        return USAGE_OR_CONFIGURATION, f"The database is not up to date ({words}). Run: manage.py migrate"
    return WORK_IS_LEFT, f"The database cannot be used: {words}"
