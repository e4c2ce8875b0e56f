"""What people linked by their own consent, when a directory lets them go."""

from __future__ import annotations

import pytest

from accounts.models import Consent, User
from calsync.simulator.server import Simulator
from tests.accounts.directories import Directories, point_at
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings, tmp_path):
    with Simulator() as simulator:
        point_at(settings, simulator, tmp_path)
        yield Directories(simulator)


def test_a_mailbox_linked_by_own_consent_keeps_no_leaver_in_and_its_tokens_go(world):
    ada = world.hire_outlook("ada")
    world.hire_outlook("bo")
    world.read("microsoft")
    for name in ("ada", "bo"):
        one = User.objects.get(email=f"{name}@lark.example")
        linked = AccountFactory(person=one, platform="google", address=one.email, reached_through="consent")
        at = linked.state_since
        Consent.objects.create(account=linked, refresh_token="r", state="healthy", expires_at=at, obtained_at=at)
    ada.enabled = False
    world.read("microsoft")
    left, stays = (User.objects.get(email=f"{name}@lark.example") for name in ("ada", "bo"))
    assert (left.is_active, stays.is_active) == (False, True)
    assert {account.state for account in left.linked_accounts.all()} == {"disabled"}
    assert [consent.account.person for consent in Consent.objects.all()] == [stays]
    assert stays.linked_accounts.in_use().count() == 2
