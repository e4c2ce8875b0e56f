"""The directories of both platforms, read over HTTP: who comes, changes, leaves, is back or in doubt."""

import pytest
from django.core.management import CommandError

from accounts.models import FoundMailbox, LinkedAccount, OrgUnit, User
from calendars.models import Calendar
from calsync.simulator.core import Fault
from calsync.simulator.server import Simulator
from notifications.models import Message
from tests.accounts.directories import ADMIN, Directories, point_at
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings, tmp_path):
    with Simulator() as simulator:
        point_at(settings, simulator, tmp_path)
        yield Directories(simulator)


@pytest.fixture
def google(world):
    world.hire_google("root", unit="/")
    return world


def person(address):
    return User.objects.get(email=address)


def boxes(address):
    rows = LinkedAccount.objects.filter(person__email=address).order_by("platform")
    return [(row.platform, row.address, row.state) for row in rows]


# -- what the directories say -----------------------------------------------------------------------------------


def test_people_of_a_microsoft_tenant_come_with_unit_manager_zone_and_mailbox(world):
    world.hire_outlook("ada", unit="Sales")
    world.hire_outlook("bo", unit="Sales/EMEA", zone="Asia/Tokyo", manager="ada@lark.example")
    told = world.read("microsoft")
    bo = person("bo@lark.example")
    assert (bo.name, bo.org_unit.path, bo.time_zone, bo.manager.email) == (
        "Bo", "/Sales/EMEA", "Asia/Tokyo", "ada@lark.example",
    )  # fmt: skip
    assert boxes("bo@lark.example") == [("outlook", "bo@lark.example", "waiting")]
    assert told["people"] == {"created": 2, "updated": 0, "unchanged": 0}
    assert "bo@lark.example: created in /Sales/EMEA" in told["changes"]
    assert Calendar.objects.count() == 2
    assert not bo.has_usable_password()


def test_people_of_a_google_domain_come_with_unit_manager_and_mailbox(google):
    google.hire_google("ada", unit="/Sales/EMEA", manager=ADMIN)
    google.simulator.google.units.add("/Empty/Inside")
    told = google.read("google", time_zone="Europe/Madrid")
    ada = person("ada@g.lark.example")
    assert (ada.org_unit.path, ada.time_zone, ada.manager.email) == ("/Sales/EMEA", "Europe/Madrid", ADMIN)
    assert person(ADMIN).org_unit is None
    assert OrgUnit.objects.filter(path="/Empty/Inside").exists()
    assert told["people"]["created"] == 2


@pytest.mark.parametrize("source", ["microsoft", "google"])
def test_a_second_import_changes_nothing_and_asks_little(google, source):
    for name in ("ada", "bo", "cy"):
        google.hire_outlook(name)
        google.hire_google(name)
    google.read(source)
    rows = list(User.objects.order_by("pk").values()), list(LinkedAccount.objects.order_by("pk").values())
    google.simulator.core.ledger.clear()
    told = google.read(source)
    assert told["changes"] == []
    assert (list(User.objects.order_by("pk").values()), list(LinkedAccount.objects.order_by("pk").values())) == rows
    paths = [call.path for call in google.simulator.core.ledger.calls]
    assert not [path for path in paths if "mailboxSettings" in path or "$batch" in path]


def test_a_dry_run_tells_the_changes_and_makes_none(world):
    world.hire_outlook("ada")
    told = world.read("microsoft", dry_run=True)
    assert told["dry_run"]
    assert told["changes"][0] == "ada@lark.example: created in /Sales"
    assert not User.objects.exists()
    assert not OrgUnit.objects.exists()


def test_guests_rooms_disabled_accounts_and_users_without_mailbox_are_left_out(world):
    world.hire_outlook("ada")
    world.hire_outlook("guest", user_type="Guest")
    world.hire_outlook("old", enabled=False)
    world.hire_outlook("room", purpose="room")
    world.hire_outlook("service", has_calendar=False)
    told = world.read("microsoft")
    assert set(User.objects.values_list("email", flat=True)) == {"ada@lark.example"}
    assert told["left_out"] == {"guest": 1, "disabled": 1, "room mailbox": 1, "no mailbox": 1}


def test_an_entry_without_a_real_address_is_left_out_and_told(world):
    world.hire_outlook("ada")
    world.hire_outlook("odd one")
    told = world.read("microsoft")
    assert told["people"]["created"] == 1
    assert "odd one@lark.example: left out, this is no e-mail address" in told["changes"]


def test_names_with_line_breaks_become_one_line(world):
    world.hire_outlook("ada").display_name = "Ada\r\n Berg\t"
    world.read("microsoft")
    assert person("ada@lark.example").name == "Ada Berg"


def test_a_directory_of_several_pages_is_read_to_its_end(google):
    for number in range(1, 520):
        google.hire_google(f"p{number}")
    assert google.read("google")["people"]["created"] == 520


def test_the_unit_may_come_from_the_office(world):
    world.hire_outlook("ada", office="Berlin")
    world.read("microsoft", unit_from="officeLocation")
    assert person("ada@lark.example").org_unit.path == "/Berlin"


def test_circles_of_managers_are_broken_and_told(world):
    world.hire_outlook("ada", manager="bo@lark.example")
    world.hire_outlook("bo", manager="ada@lark.example")
    told = world.read("microsoft")
    assert [text for text in told["changes"] if "circle" in text]
    assert User.objects.filter(manager=None).count() == 1


def test_a_directory_that_breaks_off_changes_nothing(google):
    google.hire_google("ada")
    for number in range(600):
        google.hire_google(f"p{number}")
    break_off = {"provider": "directory", "kind": "status", "path": "directory/v1/users", "skip": 1, "times": 9}
    google.simulator.core.faults.append(Fault(**break_off))
    with pytest.raises(CommandError, match="could not be read"):
        google.read("google")
    assert not User.objects.exists()


def test_without_an_administrator_to_act_as_google_is_not_read(google, settings):
    settings.GOOGLE_ADMIN_SUBJECT = ""
    with pytest.raises(CommandError, match="GOOGLE_ADMIN_SUBJECT"):
        google.read("google")


# -- matching across both tenants ------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["primary", "google alias", "outlook alias"])
def test_one_person_in_both_directories_is_found_by_address_or_alias(google, where):
    aliases = ["ada@g.lark.example"] if where == "outlook alias" else []
    google.hire_outlook("ada", unit="Legal", aliases=aliases)
    if where == "primary":
        google.hire_google("ada", domain="lark.example")
    else:
        google.hire_google("ada", aliases=["ada@lark.example"] if where == "google alias" else [])
    google.read("microsoft")
    google.read("google")
    assert [row[0] for row in boxes("ada@lark.example")] == ["google", "outlook"]
    assert person("ada@lark.example").org_unit.path == "/Legal"  # the first directory tells the place
    assert google.read("google")["changes"] == []
    assert google.read("microsoft")["changes"] == []


def test_an_equal_name_before_the_at_is_only_a_doubt(google):
    google.hire_outlook("ada")
    google.hire_google("ada")
    google.read("microsoft")
    told = google.read("google")
    [found] = FoundMailbox.objects.waiting()
    assert (found.address, found.candidate.email) == ("ada@g.lark.example", "ada@lark.example")
    assert told["doubtful"] == 1
    assert len(boxes("ada@lark.example")) == 1
    assert not User.objects.filter(email="ada@g.lark.example").exists()


def test_addresses_of_two_people_are_a_doubt_without_a_candidate(google):
    google.hire_outlook("ada")
    google.hire_outlook("bo")
    google.hire_google("both", aliases=["ada@lark.example", "bo@lark.example"])
    google.read("microsoft")
    google.read("google")
    [found] = FoundMailbox.objects.waiting()
    assert found.candidate is None
    assert "several people" in found.reason


def test_a_doubt_that_settles_itself_is_forgotten(google):
    google.hire_outlook("ada")
    ada = google.hire_google("ada")
    google.read("microsoft")
    google.read("google")
    ada.aliases = ["ada@lark.example"]
    google.read("google")
    assert not FoundMailbox.objects.exists()
    assert len(boxes("ada@lark.example")) == 2


def test_an_ignored_entry_stays_ignored(google):
    google.hire_outlook("ada")
    google.hire_google("ada")
    google.read("microsoft")
    google.read("google")
    FoundMailbox.objects.update(state="ignored")
    told = google.read("google")
    assert (told["doubtful"], told["ignored"]) == (0, 1)
    assert not FoundMailbox.objects.waiting().exists()


def test_a_mailbox_of_the_file_gets_the_directorys_id_and_primary_address(world):
    account = AccountFactory(person=UserFactory(email="ada@lark.example"), platform="outlook", address="a@lark.example")
    user = world.hire_outlook("ada", aliases=["a@lark.example"])
    world.read("microsoft")
    account.refresh_from_db()
    assert (account.address, account.directory_id, account.aliases) == (
        "ada@lark.example", user.guid, ["a@lark.example"],
    )  # fmt: skip


# -- renamed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["microsoft", "google"])
def test_a_new_address_of_the_same_id_keeps_row_and_calendar(google, source):
    domain = "lark.example" if source == "microsoft" else "g.lark.example"
    (google.hire_outlook if source == "microsoft" else google.hire_google)("ada")
    google.read(source)
    before = LinkedAccount.objects.get(address=f"ada@{domain}")
    calendar = Calendar.objects.get(account=before)
    host = google.simulator.graph if source == "microsoft" else google.simulator.google
    host.rename_mailbox(f"ada@{domain}", f"ada.berg@{domain}")
    told = google.read(source)
    after = LinkedAccount.objects.get(pk=before.pk)
    assert (after.address, after.person.email, after.state) == (f"ada.berg@{domain}", f"ada.berg@{domain}", "waiting")
    assert Calendar.objects.get(account=after) == calendar
    assert told["renamed"] == 1
    assert told["people"]["created"] == 0


def test_two_people_may_exchange_their_addresses(world):
    world.hire_outlook("ada")
    world.hire_outlook("bo")
    world.read("microsoft")
    ids = {row.address: row.pk for row in LinkedAccount.objects.all()}
    for old, new in (("ada", "x"), ("bo", "ada"), ("x", "bo")):
        world.simulator.graph.rename_mailbox(f"{old}@lark.example", f"{new}@lark.example")
    assert world.read("microsoft")["renamed"] == 2
    after = {row.address: row.pk for row in LinkedAccount.objects.all()}
    assert after == {"ada@lark.example": ids["bo@lark.example"], "bo@lark.example": ids["ada@lark.example"]}


def test_an_address_given_to_somebody_new_is_a_doubt(world):
    world.hire_outlook("ada")
    world.hire_outlook("bo")
    world.read("microsoft")
    world.simulator.graph.remove_user("ada@lark.example")
    LinkedAccount.objects.filter(address="ada@lark.example").update(directory_id="of-somebody-before")
    world.hire_outlook("ada")
    world.read("microsoft")
    [found] = FoundMailbox.objects.waiting()
    assert "entry that is gone" in found.reason


# -- leavers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["disabled", "gone"])
@pytest.mark.parametrize("source", ["microsoft", "google"])
def test_a_leaver_is_deactivated_and_everything_stays(google, source, how):
    root = User.objects.create_superuser("boss@example.org", "x")
    hire = google.hire_outlook if source == "microsoft" else google.hire_google
    ada, _ = hire("ada"), hire("bo")
    google.read(source)
    address = ada.address
    if how == "gone":
        host = google.simulator.graph if source == "microsoft" else google.simulator.google
        host.remove_user(address)
    elif source == "microsoft":
        ada.enabled = False
    else:
        ada.suspended = True
    told = google.read(source)
    left = person(address)
    account = left.linked_accounts.get()
    assert (left.is_active, account.state) == (False, "disabled")
    assert "directory" in account.state_reason
    assert Calendar.objects.filter(account=account).count() == 1
    assert told["left"] == 1
    [message] = Message.objects.filter(person=root)
    assert address in message.sentence
    assert google.read(source)["changes"] == []


def test_somebody_who_is_back_goes_on(world):
    ada = world.hire_outlook("ada")
    world.hire_outlook("bo")
    world.read("microsoft")
    ada.enabled = False
    world.read("microsoft")
    ada.enabled = True
    told = world.read("microsoft")
    assert (person("ada@lark.example").is_active, told["back"]) == (True, 1)
    assert boxes("ada@lark.example") == [("outlook", "ada@lark.example", "waiting")]


def test_whoever_was_deactivated_or_disabled_by_hand_does_not_come_back(world):
    ada = world.hire_outlook("ada")
    world.read("microsoft")
    User.objects.update(is_active=False)
    account = ada and LinkedAccount.objects.get()
    account.disable("legal hold", now=account.state_since)
    account.save()
    world.read("microsoft")
    assert not person("ada@lark.example").is_active
    assert boxes("ada@lark.example")[0][2] == "disabled"


def test_a_mailbox_that_goes_on_one_platform_leaves_the_person_who_has_another(google):
    google.hire_outlook("ada")
    ada = google.hire_google("ada", aliases=["ada@lark.example"])
    google.read("microsoft")
    google.read("google")
    ada.suspended = True
    google.read("google")
    assert person("ada@lark.example").is_active
    assert [row[2] for row in boxes("ada@lark.example")] == ["disabled", "waiting"]


def test_the_last_superuser_is_not_locked_out(world):
    ada = world.hire_outlook("ada")
    world.hire_outlook("bo")
    world.read("microsoft")
    User.objects.filter(email="ada@lark.example").update(is_superuser=True)
    ada.enabled = False
    world.read("microsoft")
    assert person("ada@lark.example").is_active


def test_many_leavers_at_once_are_refused_without_force(world):
    for number in range(40):
        world.hire_outlook(f"p{number}")
    world.read("microsoft")
    for number in range(11):
        world.simulator.graph.remove_user(f"p{number}@lark.example")
    with pytest.raises(CommandError, match=r"11 of the 40 people.*--force"):
        world.read("microsoft")
    assert User.objects.active().count() == 40
    assert world.read("microsoft", force=True)["left"] == 11
    assert User.objects.active().count() == 29


def test_few_leavers_of_few_people_pass(world):
    for number in range(10):
        world.hire_outlook(f"p{number}")
    world.read("microsoft")
    for number in range(9):
        world.simulator.graph.remove_user(f"p{number}@lark.example")
    assert world.read("microsoft")["left"] == 9


def test_a_directory_that_shows_nobody_is_refused(world):
    world.hire_outlook("ada")
    world.read("microsoft")
    world.simulator.graph.remove_user("ada@lark.example")
    with pytest.raises(CommandError, match="nothing was changed"):
        world.read("microsoft")


# -- scale -----------------------------------------------------------------------------------------------------


def test_the_number_of_statements_does_not_grow_with_the_people(world, django_assert_max_num_queries):
    for number in range(150):
        world.hire_outlook(f"p{number}", unit=f"Team {number % 5}", manager="p0@lark.example" if number else "")
    with django_assert_max_num_queries(45):
        world.read("microsoft")
