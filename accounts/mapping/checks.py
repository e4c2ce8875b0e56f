"""What only shows when rows are held against each other and against the people who are known already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from accounts.mapping.reading import Problem
from accounts.mapping.rows import MAILBOX_COLUMNS, Draft
from calsync.engine.events import Platform

_NEEDED = {"name": "a name is needed here", "org_unit": "an org unit is needed here, such as /Sales/EMEA"}
Mailbox = tuple[Platform, str]  # platform and lower-case address


def duplicates(drafts: Sequence[Draft]) -> Iterator[Problem]:
    """People and mailboxes that the file names twice."""
    yield from _twice(((draft.line, draft.values.get("email", "")) for draft in drafts), column="email")
    for platform, column in MAILBOX_COLUMNS.items():
        yield from _twice(((draft.line, draft.mailbox(platform)) for draft in drafts), column=column)


def _twice(named: Iterable[tuple[int, str]], *, column: str) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for line, address in named:
        if address and address in first:
            yield Problem(line, f"{column}: {address} is already on line {first[address]}")
        elif address:
            first[address] = line


def taken_mailboxes(drafts: Sequence[Draft], owners: Mapping[Mailbox, str]) -> Iterator[Problem]:
    """Mailboxes that are linked to somebody else. ``owners``: e-mail of the person of each linked account."""
    for draft in drafts:
        for platform, column in MAILBOX_COLUMNS.items():
            address = draft.mailbox(platform)
            owner = owners.get((platform, address), "") if address else ""
            email = draft.values.get("email", "")
            if owner and email and owner != email:
                yield Problem(draft.line, f"{column}: {address} is linked to {owner}; a mailbox never changes hands")


def incomplete(drafts: Sequence[Draft], known: Set[str]) -> Iterator[Problem]:
    """Empty cells that leave what somebody has, of people who have nothing yet."""
    for draft in drafts:
        if draft.values.get("email") in known:
            continue
        for column, what in _NEEDED.items():
            if column in draft.values and draft.values[column] is None:
                yield Problem(draft.line, f"{column}: {what}")


def unknown_managers(drafts: Sequence[Draft], known: Set[str]) -> Iterator[Problem]:
    """Managers who are neither in the file nor known."""
    in_file = {draft.values.get("email", "") for draft in drafts}
    for draft in drafts:
        manager = draft.values.get("manager", "")
        if manager and manager not in in_file and manager not in known:
            yield Problem(draft.line, f"manager: {manager} is neither in the file nor known")


def circular_managers(drafts: Sequence[Draft], managers: Mapping[str, str]) -> Iterator[Problem]:
    """Circles of managers once the file is applied; each is told once, on its first line in the file.

    ``managers``: e-mail of the manager of each known person, '' for none.
    """
    lines = {draft.values["email"]: draft.line for draft in drafts if "email" in draft.values}
    wanted = {
        draft.values["email"]: draft.values["manager"]
        for draft in drafts
        if "email" in draft.values and "manager" in draft.values
    }
    for circle in circles({**managers, **wanted}):
        in_file = [email for email in circle if email in lines]
        if in_file:
            first = min(in_file, key=lines.__getitem__)
            yield Problem(lines[first], _circle_text(circle, first))


def _circle_text(circle: list[str], first: str) -> str:
    if len(circle) == 1:
        return f"manager: {first} would be their own manager"
    at = circle.index(first)
    turned = [*circle[at:], *circle[:at], first]
    shown = turned if len(turned) <= 8 else [*turned[:7], "...", first]
    return f"manager: a circle of managers: {' > '.join(shown)}"


def circles(next_of: Mapping[str, str]) -> list[list[str]]:
    """Every circle of a graph in which each node points to at most one other; takes linear time."""
    found: list[list[str]] = []
    done: set[str] = set()
    for start in next_of:
        path: list[str] = []
        place: dict[str, int] = {}
        node = start
        while node and node not in done and node not in place:
            place[node] = len(path)
            path.append(node)
            node = next_of.get(node, "")
        if node in place:
            found.append(path[place[node] :])
        done.update(path)
    return found
