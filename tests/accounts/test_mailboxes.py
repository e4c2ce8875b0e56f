"""Linked accounts: one per mailbox, one tenant mailbox in use per person and platform, states with reasons."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import LinkedAccount, ReachedThrough
from accounts.services.mailboxes import disable_accounts, enable_accounts, pause_account, report_account
from tests.factories import NOW, AccountFactory

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


def test_a_mailbox_belongs_to_one_person():
    account = AccountFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        AccountFactory(address=account.address.upper())


def test_the_same_address_may_be_a_mailbox_on_each_platform():
    account = AccountFactory()
    assert AccountFactory(address=account.address, platform="outlook", person=account.person).pk


def test_a_person_has_one_tenant_mailbox_in_use_per_platform():
    account = AccountFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        AccountFactory(person=account.person, address="second@google.test")
    assert AccountFactory(person=account.person, address="own@g.test", reached_through=ReachedThrough.CONSENT).pk
    disable_accounts(accounts=[account], reason="moved", now=NOW)
    assert AccountFactory(person=account.person, address="second@google.test").pk


def test_disabling_takes_it_out_of_use_with_a_reason_and_a_date():
    account = AccountFactory()
    assert disable_accounts(accounts=[account], reason=" left ", now=LATER) == 1
    account.refresh_from_db()
    assert (account.state, account.state_reason, account.state_since) == ("disabled", "left", LATER)
    assert not account.is_active
    assert not LinkedAccount.objects.in_use().exists()
    assert disable_accounts(accounts=[account], reason="again", now=LATER) == 0


def test_disabling_without_a_reason_is_refused():
    account = AccountFactory()
    with pytest.raises(ValidationError, match="reason"):
        disable_accounts(accounts=[account], reason="  ", now=NOW)


def test_enabling_brings_it_back():
    account = AccountFactory()
    disable_accounts(accounts=[account], reason="x", now=NOW)
    assert enable_accounts(accounts=[account], now=LATER) == 1
    assert LinkedAccount.objects.in_use().get().state_reason == ""


def test_enabling_beside_another_mailbox_in_use_is_refused():
    account = AccountFactory()
    disable_accounts(accounts=[account], reason="x", now=NOW)
    AccountFactory(person=account.person, address="second@google.test")
    with pytest.raises(ValidationError, match="another mailbox in use"):
        enable_accounts(accounts=[account], now=LATER)
    account.refresh_from_db()
    assert account.state == "disabled"


def test_a_problem_is_noted_and_goes_away_and_the_mailbox_stays_in_use():
    account = AccountFactory()
    report_account(account_id=account.pk, problem="no licence", now=LATER)
    account.refresh_from_db()
    assert (account.state, account.state_reason, account.state_since) == ("action_required", "no licence", LATER)
    assert LinkedAccount.objects.in_use().exists()
    report_account(account_id=account.pk, now=LATER)
    account.refresh_from_db()
    assert (account.state, account.state_reason) == ("healthy", "")


def test_what_happens_later_does_not_wake_a_disabled_mailbox():
    account = AccountFactory()
    disable_accounts(accounts=[account], reason="left", now=NOW)
    report_account(account_id=account.pk, problem="gone", now=LATER)
    report_account(account_id=account.pk, now=LATER)
    account.refresh_from_db()
    assert (account.state, account.state_reason) == ("disabled", "left")


def test_a_pause_has_an_end_and_can_be_lifted():
    account = AccountFactory()
    pause_account(account_id=account.pk, until=LATER)
    account.refresh_from_db()
    assert account.paused_until == LATER
    pause_account(account_id=account.pk, until=None)
    account.refresh_from_db()
    assert account.paused_until is None
