"""Mailboxes with a new address whose people meet: copies at colleagues stay, follow, and are not made twice."""

import pytest
from django.core.management import call_command

from calendars.models import Calendar, Event, Finding, Link
from tests.sync.company import BOTH_WAYS, OTHER
from tests.sync.endings import Patience
from tests.sync.test_trouble_access import map_anew

ROOT = "root@meridian.example"
INVITED = [{"emailAddress": {"address": "guest@elsewhere.example"}, "type": "required"}]
SOURCES = {"outlook": "microsoft", "google": "google"}


def rename(company, person, platform):
    """The provider gives the mailbox another address; returns it."""
    new = f"{person.user.name.lower()}.new@meridian.example"
    world = company.world
    (world.simulator.graph if platform == "outlook" else world.simulator.google).rename_mailbox(person.address, new)
    return new


def map_again(company, person, platform, folder):
    """The mapping file says so; the person has no mailbox on the other platform."""
    new = rename(company, person, platform)
    outlook, google = (new, "") if platform == "outlook" else ("", new)
    header = "email,name,org_unit,time_zone,clearance,manager,outlook_mailbox,google_mailbox"
    file = folder / "people.csv"
    row = f"{person.user.email},{person.user.name},/Sales,Europe/Berlin,,,{outlook},{google}"
    file.write_text(f"{header}\n{row}\n")
    call_command("map_org_units", str(file), verbosity=0)
    person.address = new


@BOTH_WAYS
@pytest.mark.parametrize("who", ["guest", "organiser"])
def test_a_copy_follows_when_a_mailbox_got_another_address(company, here, who, tmp_path):
    made = company.invite()
    company.world.settle()
    if who == "guest":
        map_again(company, company.bo, OTHER[here], tmp_path)
    else:
        map_again(company, company.ada, here, tmp_path)
    clock = Patience()
    clock.wait_it_out()
    assert company.titles() == ["Review"]
    company.edit(made, title="Review 2")
    clock.wait_it_out()
    assert company.titles() == ["Review 2"]
    assert sorted(Link.objects.values_list("role", "state")) == [("copy", "active"), ("origin", "active")]
    assert Event.objects.count() == 1
    company.delete(made)
    clock.wait_it_out()
    assert company.titles() == []
    assert not Finding.objects.exists()
    assert company.world.mails == []


@BOTH_WAYS
def test_a_guest_whose_new_address_only_the_directory_knows_keeps_the_copy(company, here, settings):
    world, platform = company.world, OTHER[here]
    settings.GOOGLE_ADMIN_SUBJECT = ROOT
    world.simulator.google.add_mailbox(ROOT, "Root", "Europe/Berlin", admin=True)
    call_command("import_directory", source=SOURCES[platform], verbosity=0)
    made = company.invite()
    world.settle()
    company.bo.address = rename(company, company.bo, platform)
    call_command("import_directory", source=SOURCES[platform], verbosity=0)
    company.edit(made, title="Review 2")
    clock = Patience()
    clock.wait_it_out()
    assert company.titles() == ["Review 2"]
    company.edit(made, guests=[])
    clock.wait_it_out()
    assert company.titles() == []
    assert world.mails == []


def test_the_twin_of_a_meeting_follows_when_all_events_of_the_renamed_mailbox_have_guests(world, tmp_path):
    ada, clock = world.person("ada"), Patience()
    made = ada.in_outlook(subject="Review", attendees=INVITED)
    world.activate()
    new = "ada.byron@meridian.example"
    world.simulator.graph.rename_mailbox(ada.address, new)
    map_anew(tmp_path, ada, "outlook", new)
    clock.wait_it_out()
    world.simulator.graph.update_event(new, made["id"], {"subject": "Review 2"})
    clock.wait_it_out()
    assert [event["summary"] for event in ada.google] == ["Review 2"]
    assert sorted(Link.objects.values_list("role", "state")) == [("origin", "active"), ("twin", "active")]
    assert Calendar.objects.get(account__address=new).is_active
    assert world.mails == []
