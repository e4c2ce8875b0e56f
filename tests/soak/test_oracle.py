"""The judge itself: it must complain about every kind of loss, and about nothing else."""

from __future__ import annotations

import pytest

from tests.soak.oracle import ALONE, Book, Kept
from tests.soak.sides import Face, Shown

NINE, TEN = "2026-12-01T09:00Z/2026-12-01T10:00Z", "2026-12-01T10:00Z/2026-12-01T11:00Z"


def shown(title: str = "t0001", when: str = NINE, place: str = "r0001", *, units: int = 1) -> Shown:
    face = Face(title, when, place, "n0001")
    return Shown(face, units=units, faces=[face], by_original={"": face})


def weekly(first: str = "t0001", second: str = "t0001", *, cancelled: bool = False) -> Shown:
    """A series with two occurrences, keyed by their starts."""
    faces = {"a": Face(first, NINE, "", ""), "b": Face(second, TEN, "", "")}
    if cancelled:
        del faces["b"]
    return Shown(Face("t0001", NINE, "", ""), faces=list(faces.values()), by_original=faces)


@pytest.fixture
def book():
    """E1 was made in Outlook."""
    book = Book()
    book.made(1, "outlook", shown())
    return book


def judged(book: Book, outlook: Shown | None, google: Shown | None, kept: Kept | None = None) -> str:
    looks = [{1: side} if side is not None else {} for side in (outlook, google)]
    return "; ".join(book.complaints(*looks, {1: kept} if kept else {}))


def test_an_event_that_shows_alike_on_both_sides_is_fine(book):
    assert judged(book, shown(), shown()) == ""


@pytest.mark.parametrize(
    ("outlook", "google", "complaint"),
    [
        (shown(), None, "stands in outlook only"),
        (None, shown(), "stands in google only"),
        (None, None, "nobody deleted it"),
        (shown(), shown(units=2), "2 times in google"),
        (shown(), shown(when=TEN), "differs"),
        (shown(), shown(place="r0002"), "differs"),
        (shown("t0009"), shown("t0009"), "lost an edit"),
    ],
)
def test_every_kind_of_damage_is_noticed(book, outlook, google, complaint):
    assert complaint in judged(book, outlook, google)


def test_a_value_that_was_overwritten_by_somebody_who_saw_it_is_not_missed(book):
    book.edited(1, "google", "", shown(), shown("t0002"))
    assert judged(book, shown("t0002"), shown("t0002")) == ""


def test_a_value_that_lost_against_the_other_side_is_missed_unless_a_finding_keeps_it(book):
    book.edited(1, "outlook", "", shown(), shown("t0002"))
    book.edited(1, "google", "", shown(), shown("t0003"))
    after = shown("t0003"), shown("t0003")
    assert "lost an edit" in judged(book, *after)
    assert judged(book, *after, Kept({"both_edited"}, {"title"}, '"E1 t0002"')) == ""


def test_a_time_that_lost_is_missed_unless_a_finding_names_the_field(book):
    book.edited(1, "outlook", "", shown(), shown(when=TEN))
    assert "lost an edit" in judged(book, shown(), shown())
    assert judged(book, shown(), shown(), Kept({"both_edited"}, {"when"})) == ""


def test_a_deletion_takes_with_it_only_what_could_be_seen(book):
    book.edited(1, "google", "", shown(), shown("t0002"))
    book.removed(1, "outlook", "", shown())
    assert "had not seen" in judged(book, None, None)
    assert judged(book, shown("t0002"), shown("t0002")) == ""


def test_a_deletion_that_nobody_contested_must_last(book):
    book.removed(1, "google", "", shown())
    assert judged(book, None, None) == ""
    assert "came back" in judged(book, shown(), shown())


def in_parts(first: str = "t0001", second: str = "t0001") -> Shown:
    """The same two occurrences, each as an event of its own."""
    found = Shown(Face(first, NINE, "", ""), faces=[Face(first, NINE, "", "")])
    found.join(Shown(Face(second, TEN, "", ""), faces=[Face(second, TEN, "", "")]))
    return found


def test_a_series_may_stand_in_outlook_in_parts_only_if_outlook_cannot_hold_it():
    book = Book()
    book.made(1, "google", weekly())
    assert "2 times in outlook" in judged(book, in_parts(), weekly())
    book.beyond.add(1)
    assert judged(book, in_parts(), weekly()) == ""
    assert "2 times in google" in judged(book, weekly(), in_parts())
    assert "differs" in judged(book, in_parts(second="t0002"), weekly())


def test_an_edit_of_a_part_travels_to_its_occurrence_or_is_kept_in_a_finding():
    book = Book(beyond={1})
    book.made(1, "google", weekly())
    before, after = (Shown(Face(title, TEN, "", "")) for title in ("t0001", "t0002"))
    book.edited(1, "outlook", "", before, after, called=f"{ALONE}x")
    assert judged(book, in_parts(second="t0002"), weekly(second="t0002")) == ""
    assert "lost an edit" in judged(book, in_parts(), weekly())
    assert judged(book, in_parts(), weekly(), Kept({"part_edited"}, {"title"}, '"E1 t0002"')) == ""


@pytest.mark.parametrize("key", [f"{ALONE}x", ""], ids=["a single occurrence", "several occurrences"])
def test_a_deleted_part_that_comes_back_needs_a_finding(key):
    book = Book(beyond={1})
    book.made(1, "google", weekly())
    book.removed_part(1, "outlook", key, Shown(Face("t0001", TEN, "", ""), faces=[Face("t0001", TEN, "", "")]))
    assert "came back" in judged(book, in_parts(), weekly())
    assert judged(book, in_parts(), weekly(), Kept({"part_edited"})) == ""


def test_a_cancelled_occurrence_that_comes_back_is_noticed():
    book = Book()
    book.made(1, "outlook", weekly())
    book.removed(1, "google", "b", weekly())
    assert judged(book, weekly(cancelled=True), weekly(cancelled=True)) == ""
    assert "came back" in judged(book, weekly(), weekly())


def test_an_edit_of_one_occurrence_that_is_gone_is_noticed():
    book = Book()
    book.made(1, "outlook", weekly())
    book.edited(1, "outlook", "b", weekly(), weekly(second="t0002"))
    assert judged(book, weekly(second="t0002"), weekly(second="t0002")) == ""
    assert "lost an edit" in judged(book, weekly(), weekly())


@pytest.mark.parametrize("first_was_cancelled", [True, False])
def test_the_time_of_a_series_whose_first_occurrence_was_cancelled_is_seen_by_nobody(first_was_cancelled):
    book = Book()
    made = weekly()
    book.made(1, "google", made)
    if first_was_cancelled:
        book.removed(1, "google", NINE.partition("/")[0], made)
    left = Shown(Face("t0001", TEN, "", ""), faces=[Face("t0001", TEN, "", "")], by_original={})
    book.removed(1, "outlook", "", left)
    assert ("remover had not seen" in judged(book, None, None)) is not first_was_cancelled


@pytest.mark.parametrize("back_to", [NINE, "2026-12-01T12:00Z/2026-12-01T13:00Z"])
def test_a_time_moved_away_and_back_is_the_one_that_the_other_side_has_replaced(book, back_to):
    other = "2026-12-01T15:00Z/2026-12-01T16:00Z"
    book.edited(1, "outlook", "", shown(), shown(when=TEN))
    book.edited(1, "google", "", shown(), shown(when=other))
    book.edited(1, "outlook", "", shown(when=TEN), shown(when=back_to))
    told = judged(book, shown(when=other), shown(when=other))
    assert ("lost an edit" in told) is (back_to != NINE)
