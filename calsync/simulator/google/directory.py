"""The Directory API's users and org units, readable for administrators only.

Users come in pages (100 by default, 500 at most), org units all at once; a list key is absent when it would be empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from zlib import crc32

from calsync.simulator.google import ids
from calsync.simulator.google.errors import bad_request, directory_forbidden, insufficient_scopes, invalid, not_found
from calsync.simulator.google.oauth import SCOPE, Grant
from calsync.simulator.google.records import Fields

if TYPE_CHECKING:
    from calsync.simulator.google.store import GoogleStore, User

USER_SCOPES = {SCOPE + "admin.directory.user", SCOPE + "admin.directory.user.readonly"}
UNIT_SCOPES = {SCOPE + "admin.directory.orgunit", SCOPE + "admin.directory.orgunit.readonly"}
CUSTOMER = "C01calsync"
IN_UNIT = re.compile(r"orgUnitPath='?([^']+?)'?\Z")


def answer(store: GoogleStore, segments: list[str], query: dict[str, str], grant: Grant) -> Fields:
    """Answer a GET below ``/admin/directory/v1/``; refuses with 403 without rights and 404 for other paths."""
    match segments:
        case ["users"]:
            _check(store, grant, USER_SCOPES)
            return _users(_colleagues(store, grant), query)
        case ["users", key]:
            _check(store, grant, USER_SCOPES)
            return _user(_by_key(_colleagues(store, grant), key))
        case ["customer", customer, "orgunits", *path]:
            _check(store, grant, UNIT_SCOPES)
            if customer not in ("my_customer", CUSTOMER):
                raise not_found()
            paths = unit_paths(_colleagues(store, grant), store.units if _is_first(store, grant) else ())
            return _one_unit(paths, "/" + "/".join(path)) if path else _units(paths, query)
    raise not_found()


def _check(store: GoogleStore, grant: Grant, scopes: set[str]) -> None:
    if not scopes & grant.scopes:
        raise insufficient_scopes()
    user = store.users.get(grant.user)
    if user is None or not user.admin:
        raise directory_forbidden()


def _is_first(store: GoogleStore, grant: Grant) -> bool:
    return store.tokens.workspace_of(grant.user) == ""


def _colleagues(store: GoogleStore, grant: Grant) -> list[User]:
    """Everybody of the Workspace of whoever asks."""
    home = store.tokens.workspace_of(grant.user)
    return [user for user in store.users.values() if store.tokens.workspace_of(user.address) == home]


def _users(users: list[User], query: dict[str, str]) -> Fields:
    if not query.get("customer") and not query.get("domain"):
        raise bad_request("Bad Request")
    found = [user for user in users if _wanted(user, query)]
    found.sort(key=lambda user: user.address)
    start, size = _page(query)
    page = found[start : start + size]
    answer: Fields = {"kind": "admin#directory#users", "etag": '"users"'}
    if page:
        answer["users"] = [_user(user) for user in page]
    if start + size < len(found):
        answer["nextPageToken"] = ids.PageToken(start + size, len(found), 0).text()
    return answer


def _page(query: dict[str, str]) -> tuple[int, int]:
    try:
        size = int(query.get("maxResults", "100"))
        start = ids.PageToken.parse(query["pageToken"]).position if "pageToken" in query else 0
    except ValueError:
        raise invalid("Invalid Input: pageToken") from None
    if not 1 <= size <= 500:
        raise invalid("Invalid Input: maxResults")
    return start, size


def _wanted(user: User, query: dict[str, str]) -> bool:
    """The few search clauses that matter: org unit (with the units below) and suspension."""
    domain = query.get("domain", "").lower()
    if domain and user.address.rpartition("@")[2] != domain:
        return False
    for clause in re.findall(r"\S+='[^']*'|\S+", query.get("query", "")):
        unit = IN_UNIT.match(clause)
        if unit and user.org_unit != unit.group(1) and not user.org_unit.startswith(unit.group(1).rstrip("/") + "/"):
            return False
        if clause.startswith("isSuspended=") and (clause.endswith("true") != user.suspended):
            return False
        if clause.startswith("email:") and not user.address.startswith(clause[6:].rstrip("*").lower()):
            return False
    return True


def _by_key(users: list[User], key: str) -> User:
    for user in users:
        if key.lower() == user.address or key == user.user_id:
            return user
    raise not_found()


def _user(user: User) -> Fields:
    given, _, family = user.name.partition(" ")
    return {
        "kind": "admin#directory#user",
        "id": user.user_id,
        "etag": f'"user-{user.user_id}"',
        "primaryEmail": user.address,
        "name": {"givenName": given, "familyName": family, "fullName": user.name},
        "isAdmin": user.admin,
        "isDelegatedAdmin": False,
        "lastLoginTime": "2026-11-01T00:00:00.000Z",
        "creationTime": "2024-01-02T03:04:05.000Z",
        "agreedToTerms": True,
        "suspended": user.suspended,
        "archived": user.archived,
        "emails": [{"address": user.address, "primary": True}, *({"address": alias} for alias in user.aliases)],
        "customerId": CUSTOMER,
        "orgUnitPath": user.org_unit,
        "isMailboxSetup": True,
        **({"aliases": list(user.aliases)} if user.aliases else {}),
        **({"relations": [{"value": user.manager, "type": "manager"}]} if user.manager else {}),
    }


def unit_paths(users: Iterable[User], empty: Iterable[str]) -> list[str]:
    """The org units of these people, ``empty`` ones, and their ancestors; the root left out."""
    found = set()
    for unit in {user.org_unit for user in users} | set(empty):
        words = unit.strip("/").split("/")
        found |= {"/" + "/".join(words[:depth]) for depth in range(1, len(words) + 1) if words[0]}
    return sorted(found)


def _units(paths: list[str], query: dict[str, str]) -> Fields:
    parent = "/" + query.get("orgUnitPath", "/").strip("/")
    kind = query.get("type", "children")
    below = parent.rstrip("/") + "/"
    found = [path for path in paths if path.startswith(below)]
    if kind == "children":
        found = [path for path in found if "/" not in path[len(below) :]]
    elif kind == "allIncludingParent":
        found = [parent, *found]
    elif kind != "all":
        raise invalid("Invalid Input: type")
    answer: Fields = {"kind": "admin#directory#orgUnits", "etag": '"units"'}
    return answer | ({"organizationUnits": [_unit(path) for path in found]} if found else {})


def _one_unit(paths: list[str], path: str) -> Fields:
    if path not in paths:
        raise not_found()
    return _unit(path)


def _unit_id(path: str) -> str:
    return f"id:03ph{crc32(path.encode()):08x}"


def _unit(path: str) -> Fields:
    parent = path.rpartition("/")[0] or "/"
    above = {} if path == "/" else {"parentOrgUnitPath": parent, "parentOrgUnitId": _unit_id(parent)}
    return {
        "kind": "admin#directory#orgUnit",
        "etag": f'"unit-{crc32(path.encode())}"',
        "name": path.rpartition("/")[2] or "/",
        "description": "",
        "orgUnitPath": path,
        "orgUnitId": _unit_id(path),
        **above,
    }
