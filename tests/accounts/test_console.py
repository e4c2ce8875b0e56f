"""The console's pages about people and mailboxes, as a superuser and as somebody with few rights see them."""

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.models import LinkedAccount, OrgUnit, User
from accounts.secrets import fingerprint_key
from accounts.services.units import ensure_units
from tests.factories import AccountFactory, ConnectionFactory, UserFactory

pytestmark = pytest.mark.django_db


def page(model, view, *args):
    return reverse(f"admin:accounts_{model}_{view}", args=args)


@pytest.fixture
def root(client):
    """A client who is logged in as a superuser."""
    client.force_login(User.objects.create_superuser("root@example.org", "correct horse"))
    return client


@pytest.mark.parametrize("model", ["user", "orgunit", "tenantconnection", "linkedaccount", "secret"])
def test_every_list_and_every_row_opens(root, model):
    fingerprint_key()
    AccountFactory(connection=ConnectionFactory(credentials="hunter2"))
    listing = root.get(page(model, "changelist") + "?q=a")
    assert listing.status_code == 200
    row = listing.context["cl"].model.objects.first()
    detail = root.get(page(model, "change", row.pk))
    assert detail.status_code == 200
    assert b"hunter2" not in detail.content


def test_a_lost_sealing_key_does_not_break_the_lists(root, settings):
    fingerprint_key()
    row = ConnectionFactory(credentials="hunter2")
    settings.CALSYNC_SEALING_KEYS = [Fernet.generate_key().decode()]
    assert root.get(page("secret", "changelist")).status_code == 200
    assert root.get(page("tenantconnection", "change", row.pk)).status_code == 200


def test_people_are_listed_in_a_bounded_number_of_queries(root, django_assert_max_num_queries):
    for _ in range(20):
        UserFactory()
    with django_assert_max_num_queries(12):
        assert root.get(page("user", "changelist")).status_code == 200


def test_a_person_is_added_by_address_and_can_log_in(root, client):
    form = {
        "email": "New@Example.org",
        "name": "New",
        "usable_password": "true",
        "password1": "correct horse",
        "password2": "correct horse",
    }
    assert root.post(page("user", "add"), form).status_code == 302
    person = User.objects.get(email="new@example.org")
    assert person.check_password("correct horse")
    assert b"correct horse" not in root.get(page("user", "change", person.pk)).content


def test_an_address_that_is_taken_in_other_case_is_refused_on_the_form(root):
    UserFactory(email="ada@example.org")
    form = {"email": "ADA@example.org", "name": "x", "usable_password": "false", "password1": "", "password2": ""}
    answer = root.post(page("user", "add"), form)
    assert answer.status_code == 200
    assert "email" in answer.context["adminform"].form.errors


def test_a_password_is_changed_on_a_page_of_its_own(root):
    person = UserFactory()
    form = {"password1": "battery staple", "password2": "battery staple", "usable_password": "true"}
    answer = root.post(reverse("admin:auth_user_password_change", args=[person.pk]), form)
    assert answer.status_code == 302
    person.refresh_from_db()
    assert person.check_password("battery staple")


def test_nobody_deletes_people_or_mailboxes(root):
    account = AccountFactory()
    assert root.post(page("linkedaccount", "delete", account.pk), {"post": "yes"}).status_code == 403
    assert root.post(page("user", "delete", account.person.pk), {"post": "yes"}).status_code == 403
    assert LinkedAccount.objects.filter(pk=account.pk).exists()


def test_renaming_a_unit_in_the_console_moves_those_below(root):
    units, _ = ensure_units(["/A/B"])
    answer = root.post(page("orgunit", "change", units["/A"].pk), {"name": "Z", "parent": ""})
    assert answer.status_code == 302
    assert set(OrgUnit.objects.values_list("path", flat=True)) == {"/Z", "/Z/B"}


def test_an_impossible_place_for_a_unit_is_told_on_the_form(root):
    units, _ = ensure_units(["/A/B"])
    answer = root.post(page("orgunit", "change", units["/A"].pk), {"name": "A", "parent": units["/A/B"].pk})
    assert answer.status_code == 200
    assert "below itself" in str(answer.context["adminform"].form.errors)
    assert OrgUnit.objects.get(pk=units["/A"].pk).path == "/A"


def test_a_new_unit_gets_its_path(root):
    units, _ = ensure_units(["/A"])
    assert root.post(page("orgunit", "add"), {"name": "B", "parent": units["/A"].pk}).status_code == 302
    assert OrgUnit.objects.get(name="B").path == "/A/B"


def test_disabling_a_mailbox_asks_for_a_reason_first(root):
    account = AccountFactory()
    selected = {"action": "disable", "_selected_action": [account.pk], "select_across": "0"}
    question = root.post(page("linkedaccount", "changelist"), selected)
    assert question.status_code == 200
    assert question.templates[0].name == "console/ask_reason.html"
    account.refresh_from_db()
    assert account.state == "waiting"
    empty = root.post(page("linkedaccount", "changelist"), selected | {"reason": ""})
    assert "reason" in empty.context["form"].errors
    root.post(page("linkedaccount", "changelist"), selected | {"reason": "left the company"})
    account.refresh_from_db()
    assert (account.state, account.state_reason) == ("disabled", "left the company")


def test_enabling_that_is_not_possible_is_told(root):
    account = AccountFactory(state="disabled")
    AccountFactory(person=account.person, address="second@google.test")
    selected = {"action": "enable", "_selected_action": [account.pk], "select_across": "0"}
    answer = root.post(page("linkedaccount", "changelist"), selected, follow=True)
    assert b"another mailbox in use" in answer.content
    account.refresh_from_db()
    assert account.state == "disabled"


def test_cem_who_may_only_look_cannot_disable_a_mailbox(client):
    cem = UserFactory(email="cem@example.org", is_staff=True)
    cem.user_permissions.add(Permission.objects.get(codename="view_linkedaccount"))
    client.force_login(cem)
    account = AccountFactory()
    selected = {"action": "disable", "_selected_action": [account.pk], "select_across": "0", "reason": "x"}
    client.post(page("linkedaccount", "changelist"), selected)
    account.refresh_from_db()
    assert account.state == "waiting"
