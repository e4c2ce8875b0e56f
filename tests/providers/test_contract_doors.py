"""What every adapter promises, on both providers: calendars, credentials, trouble, push."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calsync.providers.base import (
    AuthenticationFailed,
    MailboxUnavailable,
    NotFound,
    Transient,
    Write,
    WriteKind,
    Written,
)
from calsync.simulator.core import Fault
from tests.providers.samples import NINE, TEN, single
from tests.providers.sides import ZONE, Reading, created


def test_the_primary_calendar_is_listed_with_its_zone(side):
    (calendar,) = side.provider.calendars(side.mailbox.address)

    assert (calendar.is_primary, calendar.can_write, calendar.zone) == (True, True, ZONE)


def test_the_listed_id_of_the_primary_calendar_works_as_well(side):
    (calendar,) = side.provider.calendars(side.mailbox.address)
    remote_id = side.person_creates("One", NINE, TEN)
    side.mailbox = replace(side.mailbox, calendar_id=calendar.calendar_id)

    assert [item.remote_id for item in Reading(side).round()] == [remote_id]


def test_wrong_credentials_are_told_as_such(side):
    with pytest.raises(AuthenticationFailed):
        side.strangers_provider().calendars(side.mailbox.address)


def test_an_unknown_person_is_told_as_such(side):
    side.mailbox = replace(side.mailbox, address="nobody@example.com")

    with pytest.raises((MailboxUnavailable, NotFound)):
        Reading(side).round()


def test_passing_trouble_is_told_as_such(side):
    side.simulator.core.faults.append(Fault(side.name, "status", status=503, times=20))

    with pytest.raises(Transient):
        Reading(side).round()


def test_errors_hold_no_words_of_the_event(side):
    side.simulator.core.faults.append(Fault(side.name, "status", method="POST", status=400, times=20, body={}))
    secret = single("Takeover of Acme", body="confidential")

    (outcome,) = side.provider.apply(side.mailbox, [Write(WriteKind.CREATE, key="key-1", event=secret)])

    assert not isinstance(outcome, Written)
    assert "Acme" not in str(outcome)
    assert "confidential" not in str(outcome)


def test_a_watched_calendar_can_be_unwatched_twice(side, hook_url):
    subscription = side.provider.subscribe(
        side.mailbox, url=hook_url, lifecycle_url=hook_url, secret="s3cret", channel_id="channel-1"
    )

    side.provider.unsubscribe(side.mailbox, subscription)
    side.provider.unsubscribe(side.mailbox, subscription)

    assert subscription.subscription_id
    assert subscription.expires_at.tzinfo is not None


def test_requests_are_counted(side):
    created(side, single())
    Reading(side).round()

    assert side.provider.requests.writes >= 1
    assert side.provider.requests.reads >= 1
