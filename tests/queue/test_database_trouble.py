"""The database goes away between two statements, or is held up by somebody else: the next sync finds all as it was."""

from __future__ import annotations

import random
import sqlite3
import threading
from contextlib import closing

import psycopg
import pytest

from tests.queue import databases
from tests.queue.processes import wait_until
from tests.queue.test_killed_everywhere import SEED, Course, assert_each_stands_once

SAMPLE = 6


@pytest.mark.needs_postgresql
@pytest.mark.parametrize("go_on", [False, True], ids=["in the next process", "in the same process"])
def test_a_sync_whose_database_connection_was_ended_is_finished_later(installation, forks, go_on):
    course = Course(installation)
    course.go_on()
    forks.clean_up()
    course.go_on()
    assert forks.sync() == 0
    statements = forks.report()["statements"]
    chance = random.Random(SEED + go_on)
    for number in sorted(chance.sample(range(1, statements + 1), SAMPLE)):
        course.go_on()
        code = forks.sync(cut_off=number, go_on=go_on)
        assert code == (0 if go_on else 1), installation.log("forks")
        if not go_on or not forks.report()["idle"]:
            assert forks.clean_up()["idle"]
        forks.ahead += 700
        course.assert_in_step(f"cut off at statement {number} of {statements}")
    assert_each_stands_once(installation, forks)


def test_a_sync_waits_for_somebody_who_holds_the_database_for_some_seconds(installation, forks):
    course = Course(installation)
    course.go_on()
    forks.clean_up()
    course.go_on()
    held, let_go = threading.Event(), threading.Event()
    holder = threading.Thread(target=hold, args=(installation.database_url, held, let_go))
    holder.start()
    assert held.wait(10)
    pid = forks.start()
    threading.Timer(2.0, let_go.set).start()
    assert forks.wait(pid) == 0, installation.log("forks")
    holder.join()
    assert forks.report()["idle"]
    course.assert_in_step("after the wait")
    assert_each_stands_once(installation, forks)


def hold(url, held, let_go):
    """A writer of somebody else's, who does not finish."""
    if databases.SERVER:
        with psycopg.connect(url) as connection:
            connection.execute("LOCK TABLE calendars_calendar, calendars_link IN ACCESS EXCLUSIVE MODE")
            held.set()
            let_go.wait(10)
            connection.rollback()
        return
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        held.set()
        let_go.wait(10)
        connection.execute("ROLLBACK")


@pytest.mark.needs_postgresql
def test_sessions_ended_again_and_again_while_two_sync_lose_nothing(installation, forks):
    course = Course(installation)
    course.go_on()
    forks.clean_up()
    for _ in range(4):
        course.go_on()
        pids = [forks.start("first"), forks.start("second")]
        for fewest in (1, 0, 0, 0):  # once there must be something to end; later they may be through
            end_all_sessions(installation.database_url, fewest=fewest)
        for pid in pids:
            assert forks.wait(pid) in (0, 1)
        assert forks.clean_up()["idle"]
        course.assert_in_step("after the sessions were ended")
    assert_each_stands_once(installation, forks)


def end_all_sessions(url, *, fewest):
    """As soon as there are so many."""
    mine = "datname = current_database() AND pid <> pg_backend_pid()"
    ended = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {mine}"
    with psycopg.connect(url, autocommit=True) as connection:
        wait_until(lambda: connection.execute(ended).fetchone()[0] >= fewest, what="sessions are ended")
