"""Files that people open with a spreadsheet program: whatever stands in a row, no cell of them is run as a formula."""

from __future__ import annotations

import ast
import csv
import io

import pytest

from accounts.models import LinkedAccount, User
from accounts.services.mapping import check_mapping
from calsync.simulator.company import seed
from calsync.simulator.server import Simulator

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
EVIL = "cmd|' /C calc'!A0"
WRITERS = {"accounts/mapping/writing.py", "calsync/simulator/company.py"}  # the second writes of a pretend company


def cells(text: str) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]


def test_nothing_else_writes_such_files(repository, python_files):
    """A new export has to be driven here, like the ones that there are."""
    found = set()
    for path in python_files:
        name = str(path.relative_to(repository))
        called = {
            ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
        }
        if not name.startswith("tests/") and called & {"csv.writer", "csv.DictWriter"}:
            found.add(name)
        if not name.startswith("tests/") and "text/csv" in path.read_text() and "HttpResponse(" in path.read_text():
            found.add(name)
    assert found - WRITERS == {"calendars/people_pages.py"}  # sends what the first of them writes


@pytest.mark.django_db
@pytest.mark.parametrize("start", STARTS)
def test_no_cell_of_the_people_s_file_is_run_as_a_formula(client, start):
    boss = User.objects.create(email=f"{start}boss@x.org", name="Boss", password="!")
    ada = User.objects.create(email="ada@x.org", name=f"{start}{EVIL}", manager=boss, password="!")
    # Constraints forbid some of it today; the file has to be safe whatever a later one lets in.
    User.objects.filter(pk=ada.pk).update(time_zone=f"{start}UTC")
    for platform in ("outlook", "google"):
        box = LinkedAccount.objects.create(person=ada, platform=platform, address="ada@x.org")
        LinkedAccount.objects.filter(pk=box.pk).update(address=f"{start}ada@{platform}.org")
    client.force_login(User.objects.create_superuser("it@example.org", "x"))
    answer = client.get("/admin/people/export.csv")
    told = cells(answer.content.decode())
    assert sum(EVIL in cell for cell in told) == 1
    if not start.isspace():  # addresses hold no blanks
        assert sum(f"{start}{word}" in cell for cell in told for word in ("boss", "ada", "UTC")) == 5
    assert [cell for cell in told if cell.startswith(STARTS)] == []
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_no_cell_of_the_pretend_company_s_file_is_run_as_a_formula():
    with Simulator() as simulator:
        told = cells(seed(simulator, people=10, events=0).csv())
    assert len(told) > 80
    assert [cell for cell in told if cell.startswith(STARTS)] == []


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["is_staff", "is_superuser", "password", "is_active", "id"])
def test_a_people_s_file_gives_no_rights(column):
    """Columns that are not of the file's are refused, with the whole file."""
    header = f"email,name,org_unit,time_zone,clearance,manager,outlook_mailbox,google_mailbox,{column}\n"
    checked = check_mapping(f"{header}new@x.org,New,/Sales,UTC,,,,,1\n".encode())
    assert [str(problem).partition(";")[0] for problem in checked.problems] == [f"line 1: unknown column '{column}'"]
