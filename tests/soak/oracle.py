"""The judge: a plain book of what people did, and what must therefore be true when all is quiet.

What lives here: who edited, overwrote and removed what, by the unique words in every value, and the complaints. What
does not: any of the engine's own comparisons. Findings are read for one question only: is a lost value kept there?
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from calendars.models import Event as EventRow
from calendars.models import Finding
from tests.soak.sides import TAG, Face, Look, Shown

MISSING = "(nothing)"
PART = "part"  # the key of a whole series that is one of several parts
ANSWERS = {"copy_deleted", "delete_against_edit", "resurrection", "copy_edited", "part_edited"}
ALONE = "alone "  # begins the key of an occurrence that stands in Outlook as an event by itself


@dataclass(frozen=True, slots=True)
class Edit:
    """One value that a person put somewhere. ``key`` names an occurrence, '' the whole; ``replaced`` stood before."""

    at: int
    tag: int
    key: str
    name: str  # title, when, place, note
    value: str
    replaced: str
    side: str


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that a person deleted, and every word of the event that could be seen there at that moment."""

    at: int
    tag: int
    key: str
    side: str
    words: frozenset[str]
    is_part: bool = False  # of a series that is told in parts; others of them were left


@dataclass(slots=True)
class Kept:
    """What findings say about one event."""

    kinds: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    text: str = ""


@dataclass(slots=True)
class Book:
    """Everything that people did, in order."""

    now: int = 0
    edits: list[Edit] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    reshaped: dict[int, list[int]] = field(default_factory=dict)  # tag -> when its time or rule was changed
    invited: dict[int, set[str]] = field(default_factory=dict)  # tag -> sides on which people were invited
    beyond: set[int] = field(default_factory=set)  # tags of events that may stand in Outlook in parts

    def made(self, tag: int, side: str, shown: Shown) -> None:
        """A new event."""
        self.now += 1
        for name in ("title", "when", "place", "note"):
            if value := getattr(shown.whole, name):
                self.edits.append(Edit(self.now, tag, "", name, value, MISSING, side))

    def edited(self, tag: int, side: str, key: str, before: Shown, after: Shown, *, called: str = "") -> None:
        """An edit, told from what could be seen before and after it. ``called``: the key in the book, if another."""
        self.now += 1
        old, new = before.face(key), after.face(key)
        for name in ("title", "when", "place", "note"):
            was, now = getattr(old, name, MISSING), getattr(new, name, MISSING)
            if was != now:
                self.edits.append(Edit(self.now, tag, called or key, name, now, was, side))
                if not (called or key) and name == "when":
                    self.reshape(tag)

    def reshape(self, tag: int) -> None:
        """The time or the rule of a whole event was changed: occurrences may have lost their place in it."""
        self.reshaped.setdefault(tag, []).append(self.now)

    def removed(self, tag: int, side: str, key: str, before: Shown) -> None:
        """An event or an occurrence was deleted."""
        self.now += 1
        words = before.words() if key else before.words().union(*self._parts_words(tag, side))
        self.removals.append(Removal(self.now, tag, key, side, words))

    def removed_part(self, tag: int, side: str, key: str, before: Shown) -> None:
        """One of the events was deleted that a series is told in."""
        self.now += 1
        self.removals.append(Removal(self.now, tag, key or PART, side, before.words(), is_part=True))

    def _parts_words(self, tag: int, side: str) -> list[frozenset[str]]:
        return [one.words for one in self.removals if one.is_part and (one.tag, one.side) == (tag, side)]

    # --- judgement ------------------------------------------------------------------------------------------------

    def complaints(self, outlook: Look, google: Look, kept: Mapping[int, Kept]) -> list[str]:
        """What is wrong, in sentences; none when all is well. ``kept`` is what findings hold, by event."""
        found: list[str] = []
        for tag in sorted({edit.tag for edit in self.edits} | outlook.keys() | google.keys()):
            both = outlook.get(tag), google.get(tag)
            told = kept.get(tag, Kept())
            found += [f"E{tag} {text}" for text in self._of_one(tag, *both, told)]
        return found

    def _of_one(self, tag: int, outlook: Shown | None, google: Shown | None, told: Kept) -> list[str]:
        found = [
            f"stands {shown.units} times in {name}"
            for name, shown in (("outlook", outlook), ("google", google))
            if shown is not None and shown.units > 1 and not (tag in self.beyond and name == "outlook")
        ]
        found += [
            f"shows an occurrence twice in {name}: {face}"
            for name, shown in (("outlook", outlook), ("google", google))
            if shown is not None
            for face, count in Counter(shown.faces).items()
            if count > 1 and not self._were_put_together(tag, face, outlook, google)
        ]
        if len(self.invited.get(tag, ())) > 1 or (tag in self.beyond and "outlook" in self.invited.get(tag, ())):
            return found  # meetings of their own by now, each its provider's
        if outlook is None and google is None:
            return found + self._gone(tag, told)
        if outlook is None or google is None:
            return [*found, f"stands in {'google' if outlook is None else 'outlook'} only"]
        return found + _unequal(outlook, google) + self._alive(tag, outlook, google, told)

    def _were_put_together(self, tag: int, face: Face, outlook: Shown | None, google: Shown | None) -> bool:
        """Whether two occurrences of one series in Google were moved to the same time."""
        if tag not in self.beyond or outlook is None or google is None or google.units > 1:
            return False
        return Counter(outlook.faces)[face] == Counter(google.faces)[face]

    def _gone(self, tag: int, told: Kept) -> list[str]:
        if not any(removal.tag == tag and not removal.key for removal in self.removals):
            return ["is gone, and nobody deleted it"]
        return [
            f"is gone, and with it an edit that its remover had not seen: {edit}"
            for edit in self.edits
            if edit.tag == tag and not self._accounted(edit, told) and not self._removed_knowingly(edit)
        ]

    def _alive(self, tag: int, outlook: Shown, google: Shown, told: Kept) -> list[str]:
        words = google.words() if tag in self.beyond else outlook.words() & google.words()
        found = [
            f"lost an edit: {edit}"
            for edit in self.edits
            if edit.tag == tag
            and edit.value not in words
            and not self._accounted(edit, told)
            and not self._removed_knowingly(edit)
            and not self._lost_its_place(edit)
        ]
        return found + self._came_back(tag, google if tag in self.beyond else outlook, told)

    def _came_back(self, tag: int, shown: Shown, told: Kept) -> list[str]:
        """Deletions that did not last although nobody edited what was deleted."""
        found = []
        for removal in self.removals:
            if removal.tag != tag or not self._is_back(removal, shown):
                continue
            if removal.key and self._reshaped_since(tag, 0):
                continue
            contested = any(
                edit.tag == tag
                and (not removal.key or edit.key == removal.key)
                and (edit.at > removal.at or edit.value not in removal.words)
                for edit in self.edits
            )
            answered = told.kinds & ANSWERS
            if not contested and not answered and tag not in self.invited:
                found.append(f"came back after {removal.side} deleted it ({removal.key or 'the whole'})")
        return found

    @staticmethod
    def _is_back(removal: Removal, shown: Shown) -> bool:
        if removal.key.startswith(ALONE):
            return any(face.when in removal.words for face in shown.faces)
        return not removal.key or removal.key == PART or removal.key in shown.by_original

    def _accounted(self, edit: Edit, told: Kept) -> bool:
        """Whether somebody overwrote the value who had it before them, or a finding keeps it.

        On the other side that may have been earlier: a time that was moved away and back is the one that they replaced.
        """
        overwritten = any(
            (later.at > edit.at or later.side != edit.side)
            and (later.tag, later.name, later.replaced) == (edit.tag, edit.name, edit.value)
            and (later.key == edit.key or ALONE in later.key + edit.key)
            for later in self.edits
        )
        return overwritten or _is_kept(edit, told)

    def _removed_knowingly(self, edit: Edit) -> bool:
        return any(
            removal.tag == edit.tag
            and removal.at > edit.at
            and (removal.key in ("", edit.key) or ALONE in removal.key + edit.key or _began_with(edit, removal))
            and (removal.side == edit.side or edit.value in removal.words)
            for removal in self.removals
        )

    def _lost_its_place(self, edit: Edit) -> bool:
        """An occurrence whose series was moved or cut: where it went is for the sides to agree about."""
        return bool(edit.key) and self._reshaped_since(edit.tag, 0)

    def _reshaped_since(self, tag: int, at: int) -> bool:
        return any(moment >= at for moment in self.reshaped.get(tag, ()))


def _began_with(edit: Edit, removal: Removal) -> bool:
    """Whether the occurrence with which a series began was removed: nobody sees any more when that was."""
    return edit.name == "when" and not edit.key and edit.value.partition("/")[0] == removal.key


def _is_kept(edit: Edit, told: Kept) -> bool:
    if edit.name == "when":
        return any(path == "when" or path.endswith("/when") for path in told.paths) or "@" in "".join(told.paths)
    return edit.value in told.text


def _unequal(outlook: Shown, google: Shown) -> list[str]:
    here, there = Counter(outlook.faces), Counter(google.faces)
    if here == there:
        return []
    return [f"differs: outlook alone shows {_few(here - there)}; google alone shows {_few(there - here)}"]


def _few(faces: Counter[object]) -> str:
    return ", ".join(str(face) for face in sorted(faces)[:3]) or "nothing"


def kept_in_findings() -> dict[int, Kept]:
    """Findings by the number in the title of their event."""
    found: dict[int, Kept] = {}
    tags: dict[int, int] = {}
    for row in EventRow.objects.order_by("pk"):
        if tag := TAG.search(json.dumps(row.content)):
            tags[row.pk] = int(tag.group(1))
    for finding in Finding.objects.order_by("pk"):
        number = tags.get(finding.event_id or 0)
        if number is None:
            continue
        kept = found.setdefault(number, Kept())
        kept.kinds.add(finding.kind)
        kept.paths |= set(finding.paths)
        kept.text += json.dumps(finding.values)
    return found
