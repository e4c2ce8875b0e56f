"""Each brake as a case in the console: what would have been done is to be read there, and one button releases it."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from accounts.models import Clearance, User
from conflicts.models import Case
from conflicts.services import open_cases
from tests.sync.conftest import NOW
from tests.sync.test_brakes import (
    comes_back,
    deleted_again_and_again,
    emptied_world,
    held_world,
    storm_world,
    stormy,
    titles,
)

MINUTES = timedelta(minutes=6)


def storm(world):
    """The sixth write in ten minutes waits."""
    ada = storm_world(world)
    stormy(world, ada, NOW)
    return ada


def again(world):
    """The copy of a meeting was deleted three times."""
    return deleted_again_and_again(world, times=3)[0]


def zombie(world):
    """An event came in for the fourth time."""
    return comes_back(world, times=4)[0]


BRAKES = {
    "mass_delete": (held_world, "15 of 20 events vanished", "2026-12-01 08:00  Day 1", (5, 5)),
    "empty_side": (emptied_world, "8 of 8 events vanished", "2026-12-08 08:00  Day 8", (8, 8)),
    "storm": (storm, "the next update of title waits", "Version 09:05", (1, 1)),
    "resurrection": (again, "It waits for a person.", "Review", (1, 1)),
    "return": (zombie, "It is not copied until a person releases it.", "Zombie", (1, 1)),
}


@pytest.mark.parametrize("brake", BRAKES)
def test_the_case_of_a_brake_shows_what_waits_and_one_button_releases_it(world, client, brake):
    make, told, listed, after = BRAKES[brake]
    ada = make(world)
    with time_machine.travel(NOW + MINUTES, tick=True):
        before = titles(ada)
        open_cases(now=timezone.now())
        case = Case.objects.filter(kind__in=["mass_delete", "empty_side", "storm", "resurrection"]).get()
        client.force_login(User.objects.create_superuser("it@meridian.example", "x", clearance=Clearance.RESTRICTED))
        page = client.get(reverse("admin:conflicts_case_change", args=[case.pk])).content.decode()
        button = reverse("admin:conflicts_case_decide", args=[case.pk, "release"])
        assert told in page
        assert listed in page
        assert button in page
        assert titles(ada) == before
        answer = client.post(button, {"reason": "looked into it"}, follow=True)
        assert answer.status_code == 200
        assert world.settle().idle
        outlook, google = titles(ada)
        assert outlook == google
        assert (len(outlook), len(google)) == after
        assert world.mails == []


@pytest.mark.parametrize("brake", BRAKES)
def test_whoever_is_not_cleared_sees_how_many_and_no_event(world, client, brake):
    make, told, listed, _ = BRAKES[brake]
    make(world)
    open_cases(now=timezone.now())
    case = Case.objects.filter(kind__in=["mass_delete", "empty_side", "storm", "resurrection"]).get()
    client.force_login(User.objects.create_superuser("it@meridian.example", "x", clearance=Clearance.INTERNAL))
    page = client.get(reverse("admin:conflicts_case_change", args=[case.pk])).content.decode()
    assert told in page
    assert listed not in page
    assert reverse("admin:conflicts_case_decide", args=[case.pk, "release"]) in page
