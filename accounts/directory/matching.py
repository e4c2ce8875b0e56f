"""Whose a directory's entry is: the person of that id, of one of its addresses, somebody new, or nobody knows.

A guess is never acted upon: an equal name before the @ in another of the organisation's domains makes an entry
doubtful, and so does everything else that two people could stand behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field

from calsync.providers.people import DirectoryPerson


@dataclass(frozen=True, slots=True)
class KnownMailbox:
    """A linked account. ``here``: on the platform that is read; ``in_use``: enabled and reached by the tenant."""

    account_id: int
    person_id: int
    address: str
    aliases: tuple[str, ...]
    directory_id: str
    here: bool
    in_use: bool


@dataclass(frozen=True, slots=True)
class Match:
    """Whose an entry is. None as ``person_id``: somebody new. ``account_id``: the mailbox is known already."""

    entry: DirectoryPerson
    person_id: int | None = None
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """An entry that nobody can place for certain, and why."""

    entry: DirectoryPerson
    reason: str
    candidate: int | None = None  # a person's id


def match_people(
    entries: Iterable[DirectoryPerson], *, emails: Mapping[int, str], mailboxes: Iterable[KnownMailbox]
) -> Iterator[Match | Doubt]:
    """One answer for each entry. ``emails``: log-in address by person's id."""
    entries = list(entries)
    book = _Book(emails)
    for mailbox in mailboxes:
        book.add(mailbox)
    present = {entry.directory_id for entry in entries}
    # People of a known id are certain, wherever they stand in the list.
    taken = {book.by_id[entry.directory_id].person_id for entry in entries if entry.directory_id in book.by_id}
    for entry in entries:
        found = book.answer(entry, present=present, taken=taken)
        if isinstance(found, Match) and found.person_id is not None:
            taken.add(found.person_id)
        yield found


@dataclass(slots=True)
class _Book:
    emails: Mapping[int, str]
    by_id: dict[str, KnownMailbox] = field(default_factory=dict)
    here: dict[int, list[KnownMailbox]] = field(default_factory=lambda: defaultdict(list))  # by person
    by_address: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    by_local_part: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        for person_id, email in self.emails.items():
            self._note(email, person_id)

    def add(self, mailbox: KnownMailbox) -> None:
        if mailbox.here:
            self.here[mailbox.person_id].append(mailbox)
            if mailbox.directory_id:
                self.by_id[mailbox.directory_id] = mailbox
        for address in (mailbox.address, *mailbox.aliases):
            self._note(address, mailbox.person_id)

    def _note(self, address: str, person_id: int) -> None:
        self.by_address[address].add(person_id)
        self.by_local_part[address.rpartition("@")[0]].add(person_id)

    def answer(self, entry: DirectoryPerson, *, present: Set[str], taken: Set[int]) -> Match | Doubt:
        if known := self.by_id.get(entry.directory_id):
            return Match(entry, known.person_id, known.account_id)
        found = self.by_address.get(entry.address) or self._by_alias(entry)
        if not found:
            return self._somebody_else(entry, taken)
        if len(found) > 1:
            return Doubt(entry, f"Its addresses are of several people: {self._names(found)}.")
        [person_id] = found
        if person_id in taken:
            return Doubt(entry, f"They have another mailbox here: {self.emails[person_id]}.")
        return self._of_person(entry, person_id, present)

    def _by_alias(self, entry: DirectoryPerson) -> set[int]:
        return {person for alias in entry.aliases for person in self.by_address.get(alias, ())}

    def _of_person(self, entry: DirectoryPerson, person_id: int, present: Set[str]) -> Match | Doubt:
        """The person is certain; whether this is a mailbox that they have here already is not yet."""
        addresses = {entry.address, *entry.aliases}
        own = self.here.get(person_id, [])
        for mailbox in own:
            if mailbox.address in addresses and not mailbox.directory_id:
                return Match(entry, person_id, mailbox.account_id)
        email = self.emails[person_id]
        for mailbox in own:
            if mailbox.address == entry.address and mailbox.directory_id not in present:
                reason = f"Was of an entry that is gone: {email}. Is it the same person?"
                return Doubt(entry, reason, person_id)
            if mailbox.in_use:
                return Doubt(entry, f"They have another mailbox here: {email} has {mailbox.address}.")
        return Match(entry, person_id)

    def _somebody_else(self, entry: DirectoryPerson, taken: Set[int]) -> Match | Doubt:
        """Nobody has one of the addresses: somebody new, unless the name before the @ points to one of our people."""
        local = entry.address.rpartition("@")[0]
        free = {one for one in self.by_local_part.get(local, ()) if one not in taken and not self._is_served(one)}
        if not free:
            return Match(entry)
        reason = f"Only the name before the @ fits: {self._names(free)}."
        return Doubt(entry, reason, next(iter(free)) if len(free) == 1 else None)

    def _is_served(self, person_id: int) -> bool:
        return any(mailbox.in_use for mailbox in self.here.get(person_id, ()))

    def _names(self, people: Iterable[int]) -> str:
        return ", ".join(sorted(self.emails[one] for one in people)[:3])
