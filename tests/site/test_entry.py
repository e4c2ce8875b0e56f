"""Commands that cannot even start end in a sentence and an exit code that scripts can rely on."""

import os
import subprocess
import sys

import pytest


def manage(repository, tmp_path, *arguments, **settings):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("CALSYNC_", "DJANGO_", "DATABASE_"))
    }
    environment |= {"CALSYNC_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "calsync_site.settings"} | settings
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("settings", "code", "sentence"),
    [
        ({}, 2, "Run: manage.py migrate"),
        ({"CALSYNC_POLL_SECONDS": "soon"}, 2, "CALSYNC_POLL_SECONDS is 'soon': give a whole number, 1 or more."),
        ({"DJANGO_ALLOWED_HOSTS": "calsync.example"}, 2, "CalSync is not configured: DJANGO_SECRET_KEY is not set."),
        ({"DATABASE_URL": "postgres://x@127.0.0.1:1/x"}, 1, "The database cannot be used: "),
    ],
    ids=["no tables", "no number", "half configured", "no server"],
)
def test_what_stops_a_command_is_told_in_a_sentence(repository, tmp_path, settings, code, sentence):
    ended = manage(repository, tmp_path, "sync", **settings)
    assert ended.returncode == code
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_whole_of_it_is_shown_on_request(repository, tmp_path):
    assert "Traceback" in manage(repository, tmp_path, "sync", "--traceback").stderr
