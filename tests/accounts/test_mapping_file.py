"""Reading a mapping file: every way in which a spreadsheet goes wrong is told with its line, all in one run."""

import pytest

from accounts.mapping.checks import circles
from accounts.mapping.document import Known, check_document
from accounts.mapping.reading import COLUMNS
from calsync.engine.events import Platform

HEADER = ",".join(COLUMNS)
ADA = "ada@x.org,Ada,/Sales,Europe/Berlin,confidential,,ada@o.org,ada@g.org"
BO = "bo@x.org,Bo,/Sales/EMEA,Europe/Stockholm,,ada@x.org,bo@o.org,"
NOBODY = Known(managers={}, mailboxes={})


def csv_file(*lines, header=HEADER, end="\n"):
    return (end.join([header, *lines]) + end).encode()


def problems(data, known=NOBODY):
    return [str(problem) for problem in check_document(data, known=known).problems]


def rows(data, known=NOBODY):
    checked = check_document(data, known=known)
    assert checked.problems == ()
    return checked.rows


def person(**cells):
    """One line of the file: Ada, with some cells changed."""
    return ",".join((dict(zip(COLUMNS, ADA.split(","), strict=True)) | cells).values())


def test_a_good_file_becomes_rows():
    ada, bo = rows(csv_file(ADA, BO))
    assert (ada.line, ada.email, ada.name, ada.org_unit) == (2, "ada@x.org", "Ada", "/Sales")
    assert ada.clearance.label == "confidential"
    assert ada.mailboxes == {Platform.OUTLOOK: "ada@o.org", Platform.GOOGLE: "ada@g.org"}
    assert (bo.clearance, bo.manager, bo.mailboxes) == (None, "ada@x.org", {Platform.OUTLOOK: "bo@o.org"})


GOOD_FORMS = {
    "windows line ends": csv_file(ADA, BO, end="\r\n"),
    "old mac line ends": csv_file(ADA, BO, end="\r"),
    "a byte order mark": b"\xef\xbb\xbf" + csv_file(ADA, BO),
    "no line end at the end": csv_file(ADA, BO).rstrip(),
    "blank lines": csv_file("", ADA, "", ",,,,,,,", BO, ""),
    "semicolons": csv_file(ADA, BO).replace(b",", b";"),
    "tabs": csv_file(ADA, BO).replace(b",", b"\t"),
    "blanks around cells": csv_file(ADA, BO).replace(b",", b" , "),
    "capital letters in addresses": csv_file(ADA.replace("ada@", "ADA@"), BO.replace("ada@", "Ada@")),
    "a header in capitals": csv_file(ADA, BO, header=HEADER.upper()),
    "quoted cells": csv_file('"ada@x.org","Ada","/Sales",' + ADA.split(",", 3)[3], BO),
}


@pytest.mark.parametrize("data", GOOD_FORMS.values(), ids=GOOD_FORMS.keys())
def test_harmless_differences_of_form_do_not_matter(data):
    strip_line = [(row.email, row.name, row.org_unit, row.manager, row.mailboxes) for row in rows(data)]
    assert strip_line == [
        (row.email, row.name, row.org_unit, row.manager, row.mailboxes) for row in rows(csv_file(ADA, BO))
    ]


def test_columns_may_stand_in_any_order():
    header = ",".join(reversed(COLUMNS))
    assert rows(csv_file(",".join(reversed(ADA.split(","))), header=header)) == rows(csv_file(ADA))


def test_a_quoted_cell_may_hold_the_separator():
    assert rows(csv_file(person(name='"Berg, Ada"')))[0].name == "Berg, Ada"


BAD_CELLS = {
    "no address": (person(email=""), "line 2: email: an address is needed here"),
    "bad address": (person(email="ada"), "line 2: email: 'ada' is not an e-mail address"),
    "no name": (person(name=" "), "line 2: name: a name is needed here"),
    "no unit": (person(org_unit=""), "line 2: org_unit: an org unit is needed here, such as /Sales/EMEA"),
    "relative unit": (
        person(org_unit="Sales"),
        "line 2: org_unit: 'Sales' is not an org unit path: it must begin with /, such as /Sales/EMEA",
    ),
    "empty unit name": (
        person(org_unit="/Sales//EMEA"),
        "line 2: org_unit: '/Sales//EMEA' is not an org unit path: a name between two slashes is empty",
    ),
    "no zone": (person(time_zone=""), "line 2: time_zone: a time zone is needed here, such as Europe/Berlin"),
    "bad zone": (
        person(time_zone="Mars/Olympus"),
        "line 2: time_zone: 'Mars/Olympus' is not an IANA time zone, such as Europe/Berlin",
    ),
    "zone in wrong case": (
        person(time_zone="europe/berlin"),
        "line 2: time_zone: 'europe/berlin' is not an IANA time zone; did you mean Europe/Berlin?",
    ),
    "zone that escapes": (
        person(time_zone="../../etc/passwd"),
        "line 2: time_zone: '../../etc/passwd' is not an IANA time zone, such as Europe/Berlin",
    ),
    "bad clearance": (
        person(clearance="secret"),
        "line 2: clearance: 'secret' is not a clearance: use public, internal, confidential, restricted",
    ),
    "bad mailbox": (person(google_mailbox="x"), "line 2: google_mailbox: 'x' is not an e-mail address"),
    "own manager": (person(manager="ADA@x.org"), "line 2: manager: ada@x.org would be their own manager"),
    "unknown manager": (person(manager="no@x.org"), "line 2: manager: no@x.org is neither in the file nor known"),
    "control character": (
        person(name="A\x07da"),
        "line 2: name: the cell holds a line break or another control character",
    ),
    "too few fields": ("ada@x.org,Ada", "line 2: 2 fields where 8 are expected"),
    "too many fields": (ADA + ",x", "line 2: 9 fields where 8 are expected; quote a field that holds the separator"),
}


@pytest.mark.parametrize(("line", "told"), BAD_CELLS.values(), ids=BAD_CELLS.keys())
def test_a_bad_cell_is_told_with_its_line_and_column(line, told):
    assert problems(csv_file(line)) == [told]


def test_an_address_that_is_too_long_for_the_database_is_refused():
    (told,) = problems(csv_file(person(email=f"{'a' * 60}@{'.'.join(['b' * 60] * 4)}.org")))
    assert told.startswith("line 2: email: ")


def test_everything_that_is_wrong_is_told_in_one_run_in_the_order_of_lines():
    told = problems(csv_file(person(time_zone="x", clearance="y"), ADA.replace("ada@x", "c@x"), "z"))
    assert [line.split(":")[0] for line in told] == ["line 2", "line 2", "line 3", "line 3", "line 4"]
    assert "outlook_mailbox: ada@o.org is already on line 2" in told[3]


def test_a_person_or_mailbox_named_twice_is_told_on_the_second_line():
    assert problems(csv_file(ADA, ADA.upper().replace("EUROPE/BERLIN", "Europe/Berlin"))) == [
        "line 3: email: ada@x.org is already on line 2",
        "line 3: google_mailbox: ada@g.org is already on line 2",
        "line 3: outlook_mailbox: ada@o.org is already on line 2",
    ]


def test_one_address_may_be_a_mailbox_on_both_platforms():
    assert len(rows(csv_file(person(google_mailbox="ada@o.org")))[0].mailboxes) == 2


def test_a_mailbox_of_somebody_else_is_refused():
    known = Known(managers={"cem@x.org": ""}, mailboxes={(Platform.GOOGLE, "ada@g.org"): "cem@x.org"})
    assert problems(csv_file(ADA), known) == [
        "line 2: google_mailbox: ada@g.org is linked to cem@x.org; a mailbox never changes hands"
    ]


def test_a_manager_who_is_known_need_not_be_in_the_file():
    assert problems(csv_file(person(manager="cem@x.org")), Known({"cem@x.org": ""}, {})) == []


def test_a_circle_of_managers_is_told_once():
    a, b, c = (f"{who}@x.org,N,/S,UTC,,{boss}@x.org,," for who, boss in ("ab", "bc", "ca"))
    assert problems(csv_file(a, b, c)) == [
        "line 2: manager: a circle of managers: a@x.org > b@x.org > c@x.org > a@x.org"
    ]


def test_a_circle_that_only_closes_with_people_who_are_known_is_told():
    known = Known({"b@x.org": "c@x.org", "c@x.org": "a@x.org"}, {})
    (told,) = problems(csv_file("a@x.org,N,/S,UTC,,b@x.org,,"), known)
    assert told == "line 2: manager: a circle of managers: a@x.org > b@x.org > c@x.org > a@x.org"


def test_a_file_may_break_a_circle_that_would_be_there_without_it():
    known = Known({"a@x.org": "b@x.org", "b@x.org": ""}, {})
    assert problems(csv_file("a@x.org,N,/S,UTC,,,,", "b@x.org,N,/S,UTC,,a@x.org,,"), known) == []


def test_circles_are_found_behind_long_tails_and_each_once():
    chain = {str(n): str(n + 1) for n in range(1, 5_000)} | {"5000": "4999", "x": "x"}
    assert sorted(sorted(circle) for circle in circles(chain)) == [["4999", "5000"], ["x"]]


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n\n", b" \r\n"])
def test_an_empty_file_is_told(data):
    assert problems(data) == ["line 1: the file is empty"]


def test_a_header_alone_is_told():
    assert problems(csv_file()) == ["line 1: there are no people below the header"]


def test_an_unknown_column_is_told_and_the_rows_are_checked_all_the_same():
    data = csv_file(ADA.replace("Berlin", "Borlin") + ",red", header=HEADER + ",colour")
    assert problems(data) == [
        f"line 1: unknown column 'colour'; the columns are {', '.join(COLUMNS)}",
        "line 2: time_zone: 'Europe/Borlin' is not an IANA time zone, such as Europe/Berlin",
    ]


def test_a_misspelt_column_is_told_with_the_right_spelling():
    assert problems(csv_file(ADA, header=HEADER.replace("time_zone", "timezone"))) == [
        "line 1: the column 'time_zone' is missing",
        "line 1: unknown column 'timezone'; did you mean 'time_zone'?",
    ]


def test_a_column_twice_is_told():
    assert problems(csv_file(ADA + ",x", header=HEADER + ",name")) == ["line 1: the column 'name' appears twice"]


def test_bytes_that_are_not_utf8_are_told_with_their_line():
    data = csv_file(ADA, BO).replace(b"Bo,", b"B\xf6,")
    assert problems(data) == ["line 3: byte 0xF6 is not UTF-8; save the file as CSV in UTF-8"]


def test_a_nul_byte_is_told():
    assert problems(csv_file(ADA.replace("Ada", "A\0da"))) == [
        "line 2: the line holds a NUL byte; the file may be damaged or UTF-16"
    ]


def test_utf16_is_told():
    assert problems(csv_file(ADA).decode().encode("utf-16")) == ["line 1: the file is UTF-16; save it as CSV in UTF-8"]


def test_a_quotation_mark_that_never_closes_is_told_where_it_opens():
    assert problems(csv_file(ADA, BO.replace("Bo,", '"Bo,'), ADA.replace("ada@", "cem@"))) == [
        "line 3: a quotation mark is opened here and not closed properly (read as one row up to line 4)"
    ]


def test_rows_after_a_broken_quotation_are_still_checked():
    told = problems(csv_file(ADA.replace("Ada,", '"A"da,'), BO.replace("Stockholm", "x")))
    assert told == [
        'line 2: a quotation mark is out of place; write "" for one inside a quoted field',
        "line 3: time_zone: 'Europe/x' is not an IANA time zone, such as Europe/Berlin",
    ]


def test_a_cell_over_several_lines_is_refused_and_counts_from_its_first_line():
    told = problems(csv_file(ADA.replace("Ada,", '"A\nda",'), BO.replace("Stockholm", "x")))
    assert told == [
        "line 2: name: the cell holds a line break or another control character",
        "line 4: time_zone: 'Europe/x' is not an IANA time zone, such as Europe/Berlin",
    ]


def test_a_manager_on_a_row_that_could_not_be_read_is_not_called_unknown():
    assert problems(csv_file("ada@x.org,Ada", BO)) == ["line 2: 2 fields where 8 are expected"]


def test_no_bytes_whatever_make_it_raise():
    for data in (b"\xff", b"\0", b'"', b",", b'"\n"\n', bytes(range(256)), b'email,"', HEADER.encode() + b'\n"' * 3):
        assert problems(data)
