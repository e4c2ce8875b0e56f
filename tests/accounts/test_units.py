"""The organisation's tree: paths follow names and parents."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import OrgUnit
from accounts.services.units import ensure_units, place_unit
from accounts.unit_paths import is_within, lineage, parse_path
from tests.factories import NOW

db = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "path"), [("/Sales", "/Sales"), ("/Sales/EMEA", "/Sales/EMEA"), ("/ Sales / EMEA ", "/Sales/EMEA")]
)
def test_a_path_has_one_spelling(text, path):
    assert parse_path(text) == path


@pytest.mark.parametrize("text", ["Sales", "/", "", "//Sales", "/Sales/", "/Sales//EMEA", "/" + "x" * 101])
def test_what_is_no_path_is_refused(text):
    with pytest.raises(ValueError, match=r"org unit|character"):
        parse_path(text)


def test_lineage_goes_from_the_root_down():
    assert lineage("/A/B/C") == ["/A", "/A/B", "/A/B/C"]


def test_a_longer_name_is_not_below():
    assert is_within("/Sales/EMEA", "/Sales")
    assert not is_within("/SalesSupport", "/Sales")


@db
def test_missing_units_are_made_with_all_above_them():
    units, made = ensure_units(["/A/B/C", "/A/D"])
    assert made == 4
    assert units["/A/B/C"].parent.parent == units["/A"]
    assert ensure_units(["/A/B/C"])[1] == 0


@db
def test_making_many_units_takes_a_statement_for_each_level(django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        assert ensure_units([f"/A/{n}" for n in range(100)])[1] == 101


@db
def test_ancestors_and_descendants():
    units, _ = ensure_units(["/A/B/C", "/A/D", "/AB", "/a/x"])
    assert list(units["/A/B/C"].ancestors()) == [units["/A"], units["/A/B"]]
    assert list(units["/A"].descendants()) == [units["/A/B"], units["/A/B/C"], units["/A/D"]]
    assert units["/A"].contains(units["/A/D"])
    assert not units["/A"].contains(units["/AB"])


@db
def test_renaming_a_unit_moves_everything_below_along():
    units, _ = ensure_units(["/A/B/C", "/AB/X"])
    place_unit(unit=units["/A"], name="Z", parent=None, now=NOW)
    assert set(OrgUnit.objects.values_list("path", flat=True)) == {"/Z", "/Z/B", "/Z/B/C", "/AB", "/AB/X"}


@db
def test_moving_a_unit_below_another():
    units, _ = ensure_units(["/A/B", "/C"])
    place_unit(unit=units["/A"], name="A", parent=units["/C"], now=NOW)
    assert set(OrgUnit.objects.values_list("path", flat=True)) == {"/C", "/C/A", "/C/A/B"}


@db
def test_a_unit_cannot_move_below_itself():
    units, _ = ensure_units(["/A/B"])
    with pytest.raises(ValidationError, match="below itself"):
        place_unit(unit=units["/A"], name="A", parent=units["/A/B"], now=NOW)


@db
@pytest.mark.parametrize("name", ["B", "x/y", " "])
def test_a_taken_or_impossible_name_is_refused(name):
    units, _ = ensure_units(["/A", "/B"])
    with pytest.raises(ValidationError):
        place_unit(unit=units["/A"], name=name, parent=None, now=NOW)
    assert OrgUnit.objects.get(pk=units["/A"].pk).path == "/A"


@db
def test_two_roots_of_one_name_are_impossible():
    OrgUnit.objects.create(name="A", path="/A")
    with pytest.raises(IntegrityError), transaction.atomic():
        OrgUnit.objects.create(name="A", path="/A")
