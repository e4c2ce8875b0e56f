"""Renamed mailboxes: the directory knows an id under another address, and row, calendar and history stay the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from accounts.models import LinkedAccount, User
from accounts.services.mapping import update_rows

_Row = TypeVar("_Row", LinkedAccount, User)


@dataclass(slots=True)
class Renamed:
    """The ids of accounts that have a new address, and what to tell."""

    accounts: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def rename(wanted: Sequence[tuple[LinkedAccount, str]]) -> Renamed:
    """Give mailboxes their new addresses, and people whose log-in was the old one the new one as well."""
    changing = [(account, address) for account, address in wanted if account.address != address]
    if not changing:
        return Renamed()
    done = Renamed()
    platform = changing[0][0].platform
    held = dict(LinkedAccount.objects.filter(platform=platform).order_by().values_list("address", "pk"))
    before = {account.pk: account.address for account, _ in changing}
    moved = _move(changing, held, "address", done)
    people = User.objects.in_bulk([account.person_id for account in moved])
    follow = [(people[a.person_id], a.address) for a in moved if people[a.person_id].email == before[a.pk]]
    emails = dict(User.objects.order_by().values_list("email", "pk"))
    _move(follow, emails, "email", done)
    done.accounts = [account.pk for account in moved]
    for account in moved:
        done.notes.append(f"{before[account.pk]}: has the new address {account.address}")
    return done


def _move(changing: Sequence[tuple[_Row, str]], held: Mapping[str, int], column: str, done: Renamed) -> list[_Row]:
    """Set the new addresses that are free or become so; two that change places first step aside."""
    going = {row.pk for row, _ in changing}
    possible = list(changing)
    while True:  # whoever cannot move keeps an address that another may have wanted
        possible = [(row, new) for row, new in possible if new not in held or held[new] in going]
        if len(possible) == len(going):
            break
        going = {row.pk for row, _ in possible}
    for row, new in changing:
        if row.pk not in going:
            done.notes.append(f"{getattr(row, column)}: cannot be renamed, {new} is somebody else's")
    wanted = {new for _, new in possible}
    aside = [row for row, _ in possible if getattr(row, column) in wanted]
    for row in aside:
        setattr(row, column, f"moving-{row.pk}@calsync.invalid")
    update_rows(aside, [column])
    for row, new in possible:
        setattr(row, column, new)
    update_rows([row for row, _ in possible], [column])
    return [row for row, _ in possible]
