"""The mapping command: people, units, mailboxes and calendars come to be what the file says, all or nothing."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Clearance, Health, LinkedAccount, OrgUnit, ReachedThrough, TenantConnection, User
from calendars.models import Calendar
from tests.factories import NOW, AccountFactory, UserFactory

pytestmark = pytest.mark.django_db

HEADER = "email,name,org_unit,time_zone,clearance,manager,outlook_mailbox,google_mailbox"
ADA = "ada@x.org,Ada,/Sales,Europe/Berlin,confidential,,ada@o.org,ada@g.org"
BO = "bo@x.org,Bo,/Sales/EMEA,Europe/Stockholm,,ada@x.org,bo@o.org,"
CEM = "cem@x.org,Cem,/Legal,Asia/Tokyo,,bo@x.org,,"


@pytest.fixture
def apply(tmp_path):
    """Run the command on lines below the usual header; returns what it wrote."""

    def run(*lines, header=HEADER, **options):
        file = tmp_path / "people.csv"
        file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        out, err = StringIO(), StringIO()
        try:
            call_command("map_org_units", str(file), stdout=out, stderr=err, **options)
        except CommandError as error:
            error.told = err.getvalue()
            raise
        return out.getvalue()

    return run


def mailboxes_of(email):
    return {
        (account.platform, account.address, account.state)
        for account in LinkedAccount.objects.filter(person__email=email)
    }


def test_a_first_file_makes_units_people_mailboxes_and_calendars(apply):
    told = apply(ADA, BO, CEM)
    assert set(OrgUnit.objects.values_list("path", flat=True)) == {"/Sales", "/Sales/EMEA", "/Legal"}
    ada, bo, cem = User.objects.order_by("email")
    assert (ada.name, ada.org_unit.path, ada.time_zone, ada.clearance, ada.manager) == (
        "Ada",
        "/Sales",
        "Europe/Berlin",
        Clearance.CONFIDENTIAL,
        None,
    )
    assert (bo.manager, bo.clearance, cem.manager) == (ada, Clearance.INTERNAL, bo)
    assert not ada.has_usable_password()
    assert mailboxes_of("ada@x.org") == {("outlook", "ada@o.org", "waiting"), ("google", "ada@g.org", "waiting")}
    assert mailboxes_of("cem@x.org") == set()
    assert Calendar.objects.filter(is_primary=True).count() == LinkedAccount.objects.count() == 3
    assert "line 2: ada@x.org: created in /Sales" in told
    assert "line 3: bo@x.org: outlook mailbox bo@o.org linked" in told
    assert "People:          3 created" in told


def test_the_same_file_again_changes_nothing(apply):
    apply(ADA, BO, CEM)
    before = list(User.objects.order_by("pk").values())
    told = apply(ADA, BO, CEM)
    assert list(User.objects.order_by("pk").values()) == before
    assert "line" not in told
    assert "People:          0 created       0 updated       3 unchanged" in told
    assert "Calendars:       0 created" in told


def test_changed_rows_move_and_change_people(apply):
    apply(ADA, BO, CEM)
    told = apply(
        BO.replace("/Sales/EMEA", "/Legal").replace("Bo,", "Bodil,").replace("ada@x.org", "cem@x.org"),
        CEM.replace("bo@x.org", ""),
    )
    bo = User.objects.get(email="bo@x.org")
    assert (bo.name, bo.org_unit.path, bo.manager.email) == ("Bodil", "/Legal", "cem@x.org")
    assert User.objects.get(email="cem@x.org").manager is None
    assert "line 2: bo@x.org: changed name, org_unit, manager" in told
    assert User.objects.get(email="ada@x.org").name == "Ada"


def test_an_empty_clearance_leaves_the_one_the_person_has(apply):
    apply(ADA)
    apply(ADA.replace("confidential", ""))
    assert User.objects.get().clearance == Clearance.CONFIDENTIAL
    apply(ADA.replace("confidential", "Public"))
    assert User.objects.get().clearance == Clearance.PUBLIC


def test_a_changed_file_keeps_what_it_does_not_speak_of(apply):
    apply(ADA)
    ada = User.objects.get()
    ada.set_password("correct horse")
    ada.is_staff = True
    ada.work_days = [1, 2]
    ada.save()
    apply(ADA.replace("Ada,", "Ada B,"))
    ada.refresh_from_db()
    assert (ada.name, ada.is_staff, ada.work_days) == ("Ada B", True, [1, 2])
    assert ada.check_password("correct horse")


def test_a_changed_mailbox_disables_the_old_one_and_links_the_new(apply):
    apply(ADA)
    told = apply(ADA.replace("ada@g.org", "ada2@g.org"))
    assert mailboxes_of("ada@x.org") == {
        ("outlook", "ada@o.org", "waiting"),
        ("google", "ada@g.org", "disabled"),
        ("google", "ada2@g.org", "waiting"),
    }
    assert "line 2: ada@x.org: google mailbox ada@g.org disabled, not named any more" in told
    assert "1 disabled" in told
    assert Calendar.objects.count() == 3


def test_a_mailbox_that_is_not_named_any_more_is_disabled_and_named_again_enabled(apply):
    apply(ADA)
    apply(ADA.replace("ada@g.org", ""))
    assert ("google", "ada@g.org", "disabled") in mailboxes_of("ada@x.org")
    told = apply(ADA)
    assert ("google", "ada@g.org", "waiting") in mailboxes_of("ada@x.org")
    assert "enabled again" in told


def test_a_mailbox_that_a_person_disabled_stays_disabled(apply):
    apply(ADA)
    account = LinkedAccount.objects.get(platform="google")
    account.disable("under investigation", now=NOW)
    account.save()
    told = apply(ADA)
    account.refresh_from_db()
    assert account.state == Health.DISABLED
    assert "stays disabled: under investigation" in told


def test_a_mailbox_linked_by_own_consent_is_left_alone(apply):
    apply(ADA.replace("ada@g.org", ""))
    ada = User.objects.get()
    AccountFactory(person=ada, address="private@g.org", reached_through=ReachedThrough.CONSENT)
    AccountFactory(person=ada, address="ada@g.org", reached_through=ReachedThrough.CONSENT)
    apply(ADA)
    assert LinkedAccount.objects.in_use().filter(platform="google").count() == 2


def test_a_mailbox_of_somebody_else_is_refused(apply):
    AccountFactory(address="ada@g.org", person=UserFactory(email="zoe@x.org"))
    with pytest.raises(CommandError) as caught:
        apply(ADA)
    assert caught.value.told == (
        "line 2: google_mailbox: ada@g.org is linked to zoe@x.org; a mailbox never changes hands\n"
    )


def test_one_bad_line_leaves_everything_as_it_was(apply):
    with pytest.raises(CommandError, match="1 problem in the file; nothing was applied") as caught:
        apply(ADA, BO.replace("Stockholm", "x"))
    assert caught.value.returncode == 1
    assert caught.value.told.startswith("line 3: time_zone: ")
    assert (User.objects.count(), OrgUnit.objects.count(), LinkedAccount.objects.count()) == (0, 0, 0)


def test_a_dry_run_says_what_would_happen_and_changes_nothing(apply):
    told = apply(ADA, BO, dry_run=True)
    assert "line 2: ada@x.org: created in /Sales" in told
    assert told.endswith("Dry run: nothing was changed.\n")
    assert (User.objects.count(), OrgUnit.objects.count(), Calendar.objects.count()) == (0, 0, 0)
    assert TenantConnection.objects.count() == 0


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path):
    with pytest.raises(CommandError, match="There is no file") as caught:
        call_command("map_org_units", str(tmp_path / "none.csv"))
    assert caught.value.returncode == 2


def test_a_directory_is_a_usage_error(tmp_path):
    with pytest.raises(CommandError, match="is a directory") as caught:
        call_command("map_org_units", str(tmp_path))
    assert caught.value.returncode == 2


def test_many_problems_are_listed_up_to_a_bound_and_counted(apply):
    bad = [f"p{n}@x.org,N,/S,nowhere,,,," for n in range(250)]
    with pytest.raises(CommandError, match="250 problems") as caught:
        apply(*bad)
    assert caught.value.told.count("line ") == 200
    assert "... and 50 more lines (-v 2 lists all)" in caught.value.told


def test_mailboxes_are_attached_to_the_configured_tenant(apply, settings):
    apply(ADA)
    settings.MICROSOFT_TENANT_ID, settings.MICROSOFT_CLIENT_ID, settings.MICROSOFT_CLIENT_SECRET = "t", "c", "s"
    apply(ADA)
    assert LinkedAccount.objects.get(platform="outlook").connection.tenant == "t"
    assert LinkedAccount.objects.get(platform="google").connection is None


def test_swapping_managers_in_one_file_works(apply):
    apply(ADA, BO)
    apply(ADA.replace(",confidential,,", ",confidential,bo@x.org,"), BO.replace("ada@x.org", ""))
    assert User.objects.get(email="ada@x.org").manager.email == "bo@x.org"
    assert User.objects.get(email="bo@x.org").manager is None


def test_a_line_of_command_of_any_length_and_order_is_taken_in_one_file(apply):
    line = [f"p{n}@x.org,N,/S,UTC,,{f'p{n - 1}@x.org' if n else ''},," for n in range(60)]
    apply(*reversed(line))
    managers = dict(User.objects.values_list("email", "manager__email"))
    assert managers == {f"p{n}@x.org": f"p{n - 1}@x.org" if n else None for n in range(60)}


def test_the_passwords_of_new_people_are_unusable_and_differ(apply):
    apply(ADA, BO)
    ada, bo = User.objects.order_by("email")
    assert not ada.has_usable_password()
    assert ada.password != bo.password


def test_line_breaks_and_lists_of_the_guide_are_kept_in_the_help(capsys):
    with pytest.raises(SystemExit):
        call_command("map_org_units", "--help")
    told = capsys.readouterr().out
    assert "\nexample:\n  email,name,org_unit" in told
    assert "exit codes: 0 applied, 1 something is wrong" in told


def people(count, name="Person"):
    return [
        f"p{n}@x.org,{name} {n},/U{n % 5}/T{n % 20},UTC,,{f'p{n // 9}@x.org' if n else ''},p{n}@o.org,p{n}@g.org"
        for n in range(count)
    ]


def queries_of(apply, lines):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        apply(*lines, verbosity=0)
    return len(captured)


def test_statements_grow_with_batches_and_not_with_people(apply):
    """SQLite takes 999 values in a statement, so a few dozen rows share one; everything else is constant."""
    queries_of(apply, people(100))
    small = queries_of(apply, people(600, "Other"))
    large = queries_of(apply, people(1_200, "Third"))
    assert (large - small) / 600 < 0.15


def test_a_file_without_changes_takes_the_same_few_statements_whatever_its_length(apply):
    apply(*people(1_200), verbosity=0)
    assert queries_of(apply, people(1_200)) == queries_of(apply, people(600)) < 25
