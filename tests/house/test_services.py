"""The throw-away servers answer while their block lasts and are gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
import redis

from tests import services

T = TypeVar("T")


@pytest.mark.needs_postgresql
def test_postgresql_is_there_inside_the_block_only():
    with services.postgresql() as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("calsync",)

    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)


@pytest.mark.needs_redis
def test_redis_is_there_inside_the_block_only():
    with services.redis() as url:
        assert redis.Redis.from_url(url).ping() is True

    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(url).ping()


@pytest.mark.needs_redis
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_leaves_no_server_behind(repository: Path, tmp_path: Path, how: signal.Signals):
    noted = tmp_path / "url"
    code = (
        "import pathlib, sys, time\nfrom tests import services\n"
        "with services.redis() as url:\n    pathlib.Path(sys.argv[1]).write_text(url)\n    time.sleep(60)\n"
    )
    runner = subprocess.Popen([sys.executable, "-c", code, str(noted)], cwd=repository, stderr=subprocess.DEVNULL)
    url = wait_for(lambda: noted.exists() and noted.read_text())

    os.kill(runner.pid, how)
    runner.wait(20)

    assert wait_for(lambda: not answers(url))


def test_a_server_that_does_not_start_is_told_with_its_last_words(monkeypatch, tmp_path):
    broken = tmp_path / "redis-server"
    broken.write_text("#!/bin/sh\necho no memory left\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(services.ServiceError, match="no memory left"), services.redis():
        pass


def answers(url: str) -> bool:
    try:
        return bool(redis.Redis.from_url(url).ping())
    except redis.ConnectionError:
        return False


def wait_for(look: Callable[[], T]) -> T:
    """What ``look`` finds, as soon as it finds something."""
    give_up_at = time.monotonic() + 20
    while not (found := look()):
        assert time.monotonic() < give_up_at, "waited in vain"
        time.sleep(0.05)
    return found
