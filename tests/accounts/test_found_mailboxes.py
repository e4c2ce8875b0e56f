"""Mailboxes that nobody could place: the console's answers, and the people's file on its page."""

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import FoundMailbox, LinkedAccount, User
from calendars.models import Calendar
from tests.factories import NOW, AccountFactory, ConnectionFactory, UserFactory

pytestmark = pytest.mark.django_db
PAGE = "admin:accounts_foundmailbox_changelist"
HEADER = "email,name,org_unit,time_zone,clearance,manager,outlook_mailbox,google_mailbox\n"
ADA = "ada@x.org,Ada,/Sales,Europe/Berlin,,,ada@o.org,\n"


@pytest.fixture
def root(client):
    client.force_login(User.objects.create_superuser("root@example.org", "x"))
    return client


@pytest.fixture
def found():
    return lambda name, **facts: FoundMailbox.objects.create(
        **{
            "platform": "google",
            "connection": ConnectionFactory(tenant="g.org") if not facts.get("connection") else facts.pop("connection"),
            "directory_id": f"id-{name}",
            "address": f"{name}@g.org",
            "name": name.title(),
            "org_unit": "/Sales/EMEA",
            "reason": "x",
            "found_at": NOW,
            **facts,
        }
    )


def act(client, action, *rows, **more):
    data = {"action": action, "_selected_action": [row.pk for row in rows], "select_across": "0", **more}
    return client.post(reverse(PAGE), data, follow=True)


def test_confirming_links_the_mailbox_with_its_calendar(root, found):
    ada = UserFactory()
    act(root, "confirm", found("ada", candidate=ada, aliases=["a@g.org"]))
    account = LinkedAccount.objects.get(person=ada)
    assert (account.address, account.directory_id, account.aliases) == ("ada@g.org", "id-ada", ["a@g.org"])
    assert Calendar.objects.filter(account=account, is_primary=True).exists()
    assert not FoundMailbox.objects.exists()


def test_confirming_several_is_all_or_none(root, found):
    one = found("ada", candidate=UserFactory())
    told = act(root, "confirm", one, found("bo", connection=one.connection))
    assert b"no candidate for bo@g.org" in told.content
    assert not LinkedAccount.objects.exists()
    assert FoundMailbox.objects.count() == 2


def test_another_person_may_be_chosen(root, found):
    row, bo = found("ada", candidate=UserFactory()), UserFactory(email="bo@x.org")
    assert act(root, "choose", row).templates[0].name == "console/ask_reason.html"
    assert "no such person" in str(act(root, "choose", row, person="nobody@x.org").context["form"].errors)
    act(root, "choose", row, person="BO@x.org")
    assert LinkedAccount.objects.get().person == bo


def test_somebody_who_has_a_mailbox_there_gets_no_second_one(root, found):
    bo = AccountFactory(person=UserFactory(email="bo@x.org")).person
    told = act(root, "choose", found("ada"), person=bo.email)
    assert b"another mailbox in use" in told.content
    assert FoundMailbox.objects.exists()


def test_an_entry_may_become_a_new_person(root, found):
    act(root, "make_people", found("ada", time_zone="Asia/Tokyo"))
    ada = User.objects.get(email="ada@g.org")
    assert (ada.name, ada.org_unit.path, ada.time_zone, ada.told_by) == ("Ada", "/Sales/EMEA", "Asia/Tokyo", "google")
    assert ada.linked_accounts.get().directory_id == "id-ada"


def test_a_recreated_account_goes_on_with_the_mailbox_of_before(root, found):
    reason = "The directory does not know this account any more."
    old = AccountFactory(
        person=UserFactory(is_active=False, left_at=NOW), address="ada@g.org", directory_id="before",
        state="disabled", state_reason=reason,
    )  # fmt: skip
    act(root, "confirm", found("ada", candidate=old.person))
    old.refresh_from_db()
    assert (old.directory_id, old.state, old.person.is_active) == ("id-ada", "waiting", True)


def test_ignored_entries_are_left_alone(root, found):
    act(root, "ignore", found("ada"))
    assert FoundMailbox.objects.get().state == "ignored"


def test_cem_who_may_only_look_decides_nothing(client, found):
    cem = UserFactory(email="cem@example.org", is_staff=True)
    cem.user_permissions.add(Permission.objects.get(codename="view_foundmailbox"))
    client.force_login(cem)
    act(client, "confirm", found("ada", candidate=cem))
    assert not LinkedAccount.objects.exists()


# -- the file --------------------------------------------------------------------------------------------------


def load(client, text):
    return client.post(reverse("people-file"), {"file": SimpleUploadedFile("people.csv", text.encode())})


def test_a_file_is_shown_first_and_applied_when_it_is_wanted(root):
    page = load(root, HEADER + ADA)
    assert b"ada@x.org: created in /Sales" in page.content
    assert not User.objects.filter(email="ada@x.org").exists()
    root.post(reverse("people-file"), {"apply": "1"})
    assert User.objects.filter(email="ada@x.org").exists()
    assert Calendar.objects.count() == 1
    again = root.post(reverse("people-file"), {"apply": "1"}, follow=True)
    assert b"load it again" in again.content


def test_problems_of_a_file_are_told_and_nothing_can_be_applied(root):
    page = load(root, HEADER + ADA.replace("/Sales", "Sales"))
    assert b"line 2: org_unit" in page.content
    root.post(reverse("people-file"), {"apply": "1"})
    assert not User.objects.filter(email="ada@x.org").exists()


def test_the_export_of_the_page_can_be_loaded_again(root):
    load(root, HEADER + ADA)
    root.post(reverse("people-file"), {"apply": "1"})
    text = root.get(reverse("people-export")).content.decode()
    assert "ada@x.org,Ada,/Sales,Europe/Berlin,internal,,ada@o.org," in text
    assert b"0 created, 0 changed" in load(root, text).content


@pytest.mark.parametrize("page", ["people-file", "people-export"])
def test_cem_without_rights_neither_loads_nor_saves(client, page):
    assert client.get(reverse(page)).status_code == 302
    client.force_login(UserFactory(email="cem@example.org", is_staff=True))
    assert client.get(reverse(page)).status_code == 403


def test_people_on_one_platform_are_listed_until_somebody_says_that_it_is_right(root):
    ada = AccountFactory().person
    both = AccountFactory().person
    AccountFactory(person=both, platform="outlook")
    page = reverse("admin:accounts_user_changelist")
    assert list(root.get(page + "?unmatched=yes").context["cl"].result_list) == [ada]
    root.post(page, {"action": "single_platform_is_right", "_selected_action": [ada.pk]})
    assert list(root.get(page + "?unmatched=yes").context["cl"].result_list) == []
