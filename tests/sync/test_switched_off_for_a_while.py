"""A calendar that was off for a while: switched on again, it gets what it missed, and nothing is doubled."""

from __future__ import annotations

import pytest
from django.utils import timezone

from calendars import services
from calendars.models import Calendar


@pytest.mark.parametrize("platform", ["outlook", "google"])
def test_what_happened_while_one_side_was_off_is_made_up_for(world, platform):
    ada = world.person("ada")
    stays, going = ada.in_outlook(subject="Is renamed")["id"], ada.in_google(summary="Is deleted")["id"]
    for number in range(12):
        ada.in_google(summary=f"Stays {number}")
    world.activate()
    services.deactivate(calendars=Calendar.objects.filter(account__platform=platform), now=timezone.now(), reason="x")
    ada.in_outlook(subject="New in Outlook")
    ada.in_google(summary="New in Google")
    ada.edit_outlook(stays, subject="Was renamed")
    ada.delete_google(going)
    world.settle()

    world.activate()

    wanted = sorted([*(f"Stays {number}" for number in range(12)), "New in Google", "New in Outlook", "Was renamed"])
    assert sorted(event["subject"] for event in ada.outlook) == wanted
    assert sorted(event["summary"] for event in ada.google) == wanted
    assert world.audit().match_rate == 100
    assert world.mails == []
