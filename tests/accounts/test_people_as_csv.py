"""The export: safe to open, and applying it again changes nothing."""

import csv
import io

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.mapping.formulas import as_meant, as_text
from accounts.mapping.writing import people_as_csv
from accounts.models import LinkedAccount, User
from accounts.services.mapping import apply_mapping, check_mapping
from accounts.services.units import ensure_units
from tests.factories import NOW

NAMES = st.text(
    st.one_of(st.sampled_from("=+-@'|%,;\"#/ "), st.characters(exclude_categories=("C", "Z"))), min_size=1, max_size=20
).map(str.strip)
UNITS = NAMES.map(lambda text: text.replace("/", "").strip()).filter(bool)


@given(st.text())
def test_a_cell_comes_back_as_it_was(cell):
    assert as_meant(as_text(cell)) == cell


@given(st.text())
def test_no_written_cell_begins_like_a_formula(cell):
    assert as_text(cell)[:1] not in ("=", "+", "-", "@", "\t", "\r", "|", "%")


def test_a_name_with_an_apostrophe_stays_as_it_is():
    assert as_text("'t Hooft") == as_meant("'t Hooft") == "'t Hooft"


@pytest.mark.django_db
@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(NAMES, st.none() | UNITS, st.booleans(), st.booleans()), min_size=1, max_size=5))
def test_the_export_imports_back_unchanged(people):
    with transaction.atomic():
        above = None
        for number, (name, unit, outlook, google) in enumerate(people):
            place = ensure_units([f"/{unit}"])[0][f"/{unit}"] if unit else None
            above = User.objects.create(
                email=f"p{number}@x.org", name=name, org_unit=place, manager=above, clearance=20, password="!"
            )
            for platform in [name for name, has in (("outlook", outlook), ("google", google)) if has]:
                LinkedAccount.objects.create(person=above, platform=platform, address=f"p{number}@{platform}.org")
        before = list(User.objects.order_by("pk").values()), list(LinkedAccount.objects.order_by("pk").values())
        checked = check_mapping(people_as_csv().encode())
        assert checked.problems == ()
        outcome = apply_mapping(rows=checked.rows, now=NOW, connections={})
        assert outcome.people.unchanged == len(people)
        assert outcome.notes == ()
        after = list(User.objects.order_by("pk").values()), list(LinkedAccount.objects.order_by("pk").values())
        assert after == before
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_a_formula_in_a_name_is_written_as_text():
    User.objects.create(email="x@x.org", name='=HYPERLINK("http://evil")', password="!")
    [_, row] = list(csv.reader(io.StringIO(people_as_csv())))
    assert row[1] == '\'=HYPERLINK("http://evil")'


@pytest.mark.django_db
def test_somebody_new_needs_a_name_and_a_unit():
    header = "email,name,org_unit,time_zone,clearance,manager,outlook_mailbox,google_mailbox\n"
    problems = check_mapping((header + "new@x.org,,,UTC,,,,\n").encode()).problems
    assert [str(problem) for problem in problems] == [
        "line 2: name: a name is needed here",
        "line 2: org_unit: an org unit is needed here, such as /Sales/EMEA",
    ]
