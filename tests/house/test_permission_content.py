"""What an event is about, for every role and place: on pages, in lists, searches and histories, and told by commands.

Commands are run by whoever has a shell on the machine. Such a person holds the keys, so commands ask for no role; but
what they print ends up in terminals and tickets, so none of them prints content, but to somebody named with ``--as``.
"""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.urls import reverse

from accounts.models import Clearance, TrailEntry, User
from calendars.models import Calendar
from calendars.selectors import may_see_content
from conflicts.selectors import values_for
from tests.house.company import IN_REACH, TITLE
from tests.house.test_permission_matrix import ASKS_AS, COMMANDS
from tests.house.test_permission_pages import BY_CAST, BY_PLACE, is_open, list_of, page_of

pytestmark = pytest.mark.django_db
SHOW_CONTENT = ("it", "unit_admin", "approver", "auditor", "overseer")  # in the console, of what is within reach
HOLDING = ("calendars.event", "calendars.finding", "conflicts.case")  # models whose rows keep content


def sees(who: str, place: str) -> bool:
    """The owner, and whoever has both the right and the clearance."""
    return who != "nobody" and (place == "own" or (place != "above" and place in IN_REACH.get(who, ())))


@BY_PLACE
@BY_CAST
def test_content_takes_the_right_and_the_clearance(company, who, place):
    if rows := company.at(place, who):
        viewer = User.objects.get(pk=company.people[who].pk) if who in company.people else AnonymousUser()
        assert may_see_content(viewer, rows["calendars.event"]) == sees(who, place)
        pages = [company.client(who).get(page_of(rows[label])) for label in HOLDING]
        assert [TITLE in page.content.decode() for page in pages] == [
            False,  # the page of an event shows what happened to it and never what it is about
            False,
            sees(who, place) and who in SHOW_CONTENT,
        ]


@pytest.mark.parametrize("level", Clearance)
def test_content_of_each_level_is_for_those_who_are_cleared_for_it(company, level):
    rows = company.rows["unit"]
    Calendar.objects.filter(pk=rows["calendars.calendar"].pk).update(classification=level)
    for who in SHOW_CONTENT:
        for clearance in Clearance:
            User.objects.filter(pk=company.people[who].pk).update(clearance=clearance)
            viewer, case = User.objects.get(pk=company.people[who].pk), rows["conflicts.case"]
            shown = may_see_content(viewer, rows["calendars.event"]), bool(values_for(viewer, case))
            assert shown == (clearance >= level, clearance >= level), (who, clearance)


@BY_CAST
def test_no_list_search_or_history_tells_content(company, who):
    client, own = company.client(who), company.own.get(who, company.rows["unit"])
    for label in HOLDING:
        listed = client.get(list_of(label))
        found = client.get(list_of(label), {"q": TITLE})
        assert not is_open(found) or found.context["cl"].result_count == 0
        for page in (listed, client.get(page_of(own[label], "history"))):
            assert TITLE not in page.content.decode()
    assert TITLE not in client.get(reverse("admin:search"), {"s": TITLE[:9]}).content.decode()
    assert TITLE not in client.get(reverse("home")).content.decode()


def test_looking_at_others_content_is_noted_and_without_the_content(company):
    company.client("auditor").get(page_of(company.rows["unit"]["conflicts.case"]))
    entry = TrailEntry.objects.filter(action="content.seen").latest("pk")
    assert entry.actor_name == "auditor@example.org"
    assert TITLE not in f"{entry.target_name} {entry.reason} {entry.facts}"


# --- commands -------------------------------------------------------------------------------------------------


def told(name: str, *words: object, **options: object) -> str:
    out, error = StringIO(), StringIO()
    call_command(name, *map(str, words), stdout=out, stderr=error, **options)
    return out.getvalue() + error.getvalue()


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
@BY_PLACE
@BY_CAST
def test_an_explanation_tells_content_to_whoever_may_see_it(company, who, place, form):
    if rows := company.at(place, who):
        number = rows["calendars.event"].pk
        if who in company.people:
            shown = told("explain_event", number, "--as", company.people[who].email, *form)
            assert (TITLE in shown) == sees(who, place)
        assert TITLE not in told("explain_event", number, *form)


ELSEWHERE = {  # commands that call providers, run for long or hold no content, and what keeps content out of theirs
    **dict.fromkeys(("activate_sync", "audit", "remove_copies", "sync"), "tests/sync/test_commands_tell_no_content.py"),
    **dict.fromkeys(("bench", "demo", "simulate"), "a pretend company of their own"),
    **dict.fromkeys(("import_directory", "map_org_units"), "people and units, and no event"),
    **dict.fromkeys(("worker", "schedule"), "they start processes and plan work, and print neither"),
    "doctor": "counts and states",
    "free_slots": "times, and no event",
    "try_rule": "shows the event that the operator holds in a file",
}
QUIET = {"rules": ("export", "-"), "rotate_keys": ("--json",), "overlaps": ("--all", "--json")}  # are run here


def test_every_command_keeps_content_to_itself(company):
    assert ASKS_AS | ELSEWHERE.keys() | QUIET.keys() == COMMANDS
    for name, words in QUIET.items():
        shown = told(name, *words)
        assert shown
        assert TITLE not in shown
