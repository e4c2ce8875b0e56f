"""The console's page of switches: rows are read-only, two actions ask for a reason."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.models import PeopleGroup, User
from accounts.services.units import ensure_units
from syncrules.models import Switch
from syncrules.services import Target, switch_off
from tests.factories import NOW, UserFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/syncrules/switch/"


@pytest.fixture
def switch_off_page():
    return reverse("admin:syncrules_switch_switch_sync_off")


@pytest.fixture
def root(client):
    client.force_login(User.objects.create_superuser("root@example.org", "correct horse"))
    return client


def test_the_list_offers_to_switch_off(root, switch_off_page):
    assert switch_off_page.encode() in root.get(LIST).content


def test_sync_is_switched_off_for_a_unit_with_a_reason_and_a_name(root, switch_off_page):
    ensure_units(["/Sales"])
    assert root.get(switch_off_page).status_code == 200
    answer = root.post(switch_off_page, {"scope": "org_unit", "org_unit": "/Sales", "reason": "reorganisation"})
    assert answer.status_code == 302
    switch = Switch.objects.get()
    assert (switch.target, switch.is_on, switch.reason) == ("/Sales", False, "reorganisation")
    assert switch.changed_by.email == "root@example.org"
    assert root.get(LIST).status_code == 200
    assert root.get(f"{LIST}{switch.pk}/change/").status_code == 200


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"scope": "everybody"}, "reason"),
        ({"scope": "person", "reason": "x"}, "person"),
        ({"scope": "person", "person": "no@example.org", "reason": "x"}, "person"),
        ({"scope": "org_unit", "org_unit": "/No", "reason": "x"}, "org_unit"),
        ({"scope": "platform", "reason": "x"}, "platform"),
        ({"scope": "galaxy", "reason": "x"}, "scope"),
    ],
)
def test_what_is_missing_or_unknown_is_told_on_the_form(root, switch_off_page, form, field):
    answer = root.post(switch_off_page, form)
    assert answer.status_code == 200
    assert field in answer.context["form"].errors
    assert Switch.objects.count() == 0


def test_every_scope_can_be_switched_off(root, switch_off_page):
    UserFactory(email="ada@example.org")
    for form in (
        {"scope": "everybody"},
        {"scope": "platform", "platform": "google"},
        {"scope": "person", "person": "Ada@example.org"},
    ):
        assert root.post(switch_off_page, form | {"reason": "x"}).status_code == 302
    assert {switch.target for switch in Switch.objects.off(now=NOW)} == {"everybody", "Google", "ada@example.org"}


def test_switching_on_again_asks_for_a_reason(root):
    switch = switch_off(target=Target.everybody(), reason="x", by=None, now=NOW)
    selected = {"action": "switch_on_again", "_selected_action": [switch.pk], "select_across": "0"}
    assert root.post(LIST, selected).templates[0].name == "console/ask_reason.html"
    assert Switch.objects.off(now=NOW).exists()
    root.post(LIST, selected | {"reason": "all is well"})
    switch.refresh_from_db()
    assert (switch.is_on, switch.reason) == (True, "all is well")


def test_rows_are_not_added_changed_or_deleted_by_hand(root):
    switch = switch_off(target=Target.everybody(), reason="x", by=None, now=NOW)
    assert root.get(f"{LIST}add/").status_code == 403
    assert root.post(f"{LIST}{switch.pk}/change/", {"is_on": "on"}).status_code == 403
    assert root.post(f"{LIST}{switch.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Switch.objects.off(now=NOW).exists()


def test_cem_who_may_only_look_cannot_switch_anything(client, switch_off_page):
    cem = UserFactory(email="cem@example.org", is_staff=True)
    cem.user_permissions.add(Permission.objects.get(codename="view_switch"))
    client.force_login(cem)
    assert client.get(LIST).status_code == 200
    assert client.post(switch_off_page, {"scope": "everybody", "reason": "x"}).status_code == 403
    assert Switch.objects.count() == 0


def test_strangers_are_sent_to_the_log_in(client, switch_off_page):
    answer = client.post(switch_off_page, {"scope": "everybody", "reason": "x"})
    assert answer.status_code == 302
    assert Switch.objects.count() == 0


def test_a_group_and_a_clearance_can_be_switched_off_from_a_date_on(root, switch_off_page):
    group = PeopleGroup.objects.create(name="Board")
    later = {"holds_from_0": "2226-01-01", "holds_from_1": "08:00", "reason": "elections"}
    assert root.post(switch_off_page, {"scope": "group", "group": group.pk, **later}).status_code == 302
    assert root.post(switch_off_page, {"scope": "clearance", "clearance": "0", "reason": "x"}).status_code == 302
    assert [switch.target for switch in Switch.objects.off(now=NOW)] == ["the clearance public"]
    announced = Switch.objects.get(scope="group")
    assert announced.begins_at.isoformat() == "2226-01-01T08:00:00+00:00"
    assert b"the group Board" in root.get(LIST).content
