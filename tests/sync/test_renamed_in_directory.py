"""A mailbox whose new address the directory tells: the same calendar goes on, nothing is copied again."""

import pytest
from django.core.management import call_command

from accounts.models import LinkedAccount
from calendars.models import Calendar, Finding
from tests.sync.endings import Patience, titles
from tests.sync.test_trouble_access import Renamed, ada, edit_both  # noqa: F401 - ada is a fixture

ROOT = "root@meridian.example"
SOURCES = {"outlook": "microsoft", "google": "google"}


@pytest.mark.parametrize("platform", SOURCES)
def test_a_mailbox_renamed_in_the_directory_goes_on_where_it_was(world, ada, settings, platform):  # noqa: F811
    settings.GOOGLE_ADMIN_SUBJECT = ROOT
    world.simulator.google.add_mailbox(ROOT, "Root", "Europe/Berlin", admin=True)
    call_command("import_directory", source=SOURCES[platform], verbosity=0)
    before = Calendar.objects.get(account__person=ada.user, account__platform=platform)
    new = "ada.byron@meridian.example"
    provider = world.simulator.graph if platform == "outlook" else world.simulator.google
    provider.rename_mailbox(ada.address, new)
    call_command("import_directory", source=SOURCES[platform], verbosity=0)
    world.simulator.core.ledger.clear()
    there = Renamed(ada, platform, new)
    edit_both(there)
    Patience().wait_it_out()
    assert titles(there) == (["Kept 2", "Moved 2"], ["Kept 2", "Moved 2"])
    assert world.provider_writes() <= 4  # the two edits, and at most a watch each
    after = Calendar.objects.get(account__person=ada.user, account__platform=platform)
    assert (after.pk, after.account.address) == (before.pk, new)
    assert LinkedAccount.objects.filter(person=ada.user).count() == 2
    assert not Finding.objects.exists()
    assert world.mails == []
