"""The page of the tree: its order and counts; merging, and deleting what is empty."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.models import OrgUnit, User
from accounts.services.units import delete_unit, ensure_units, merge_units
from syncrules.models import Switch
from tests.factories import NOW, UserFactory

pytestmark = pytest.mark.django_db
PAGE = "admin:accounts_orgunit_changelist"


@pytest.fixture
def root(client):
    client.force_login(User.objects.create_superuser("root@example.org", "x"))
    return client


def paths():
    return set(OrgUnit.objects.values_list("path", flat=True))


def test_every_unit_stands_right_before_those_below_it(root):
    ensure_units(["/A/C/X", "/A B", "/A-Z", "/A/B"])
    listed = [unit.path for unit in root.get(reverse(PAGE)).context["cl"].result_list]
    assert listed == ["/A", "/A/B", "/A/C", "/A/C/X", "/A B", "/A-Z"]


def test_people_are_counted_here_and_below(root, django_assert_max_num_queries):
    units, _ = ensure_units(["/A/B", "/AB"])
    for unit in ("/A", "/A/B", "/A/B", "/AB"):
        UserFactory(org_unit=units[unit])
    UserFactory(org_unit=units["/A"], is_active=False)
    with django_assert_max_num_queries(10):
        rows = root.get(reverse(PAGE)).context["cl"].result_list
    assert [(unit.path, unit.here, unit.with_below) for unit in rows] == [("/A", 1, 3), ("/A/B", 2, 2), ("/AB", 1, 1)]


def test_merging_takes_people_and_units_along(root):
    units, _ = ensure_units(["/Old/EMEA/Berlin", "/Old/Asia", "/Sales/EMEA"])
    person = UserFactory(org_unit=units["/Old/EMEA"])
    deep = UserFactory(org_unit=units["/Old/EMEA/Berlin"])
    selected = {"action": "merge", "_selected_action": [units["/Old"].pk], "select_across": "0"}
    assert root.post(reverse(PAGE), selected).templates[0].name == "console/ask_reason.html"
    root.post(reverse(PAGE), selected | {"into": "/Sales"})
    assert paths() == {"/Sales", "/Sales/EMEA", "/Sales/EMEA/Berlin", "/Sales/Asia"}
    person.refresh_from_db()
    deep.refresh_from_db()
    assert (person.org_unit.path, deep.org_unit.path) == ("/Sales/EMEA", "/Sales/EMEA/Berlin")


def test_a_unit_is_not_merged_into_one_below_it():
    units, _ = ensure_units(["/A/B"])
    with pytest.raises(ValidationError, match="below itself"):
        merge_units(units=[units["/A"]], into=units["/A/B"], now=NOW)
    assert paths() == {"/A", "/A/B"}


def test_a_unit_that_something_is_attached_to_is_not_merged_away():
    units, _ = ensure_units(["/A", "/B"])
    Switch.objects.create(scope="org_unit", org_unit=units["/A"], is_on=False, since=NOW, reason="x")
    with pytest.raises(ValidationError, match="still used by"):
        merge_units(units=[units["/A"]], into=units["/B"], now=NOW)
    assert paths() == {"/A", "/B"}


@pytest.mark.parametrize("inside", ["people", "units"])
def test_only_an_empty_unit_is_deleted(root, inside):
    units, _ = ensure_units(["/A/B" if inside == "units" else "/A"])
    if inside == "people":
        UserFactory(org_unit=units["/A"])
    with pytest.raises(ValidationError, match=f"{inside} are"):
        delete_unit(unit=units["/A"], now=NOW)
    page = reverse("admin:accounts_orgunit_delete", args=[units["/A"].pk])
    assert root.post(page, {"post": "yes"}).status_code == 403
    told = root.post(reverse(PAGE), {"action": "delete_empty", "_selected_action": [units["/A"].pk]}, follow=True)
    assert b"not empty" in told.content
    assert "/A" in paths()


def test_an_empty_branch_is_deleted_as_a_whole(root):
    units, _ = ensure_units(["/A/B"])
    chosen = [unit.pk for unit in units.values()]
    root.post(reverse(PAGE), {"action": "delete_empty", "_selected_action": chosen})
    assert paths() == set()
