"""The people of a Microsoft 365 tenant: ``/users`` with managers, and the mailbox settings of those who are new.

What lives here: which entries are people with a mailbox, and their addresses. What does not: whom they are to us.
Settings cannot be selected in the list of users: each costs a request, twenty to a round trip, so that they are asked
only for people who are not known yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set

from calsync.engine import zones
from calsync.providers.base import AccessDenied, NotFound
from calsync.providers.graph.batch import READING_PATIENCE, send_all
from calsync.providers.graph.client import Answer, GraphClient, Json, Request, segment
from calsync.providers.graph.instances import pages
from calsync.providers.people import DirectoryPerson, DirectoryReading

FIELDS = "id,displayName,mail,userPrincipalName,department,officeLocation,accountEnabled,userType,proxyAddresses"
PAGE = "999"
"""The largest that Graph gives."""
PORTION = 200
"""Mailboxes asked together: each portion has its own patience with throttling."""
NO_PERSONS = frozenset({"shared", "room", "equipment"})
"""Purposes of mailboxes that belong to nobody."""


def read_users(client: GraphClient, *, known: Set[str], unit_from: str = "department") -> DirectoryReading:
    """Everybody, read to the end; raises ProviderError when any part of it fails.

    ``known``: directory ids whose mailboxes need no closer look. ``unit_from``: ``department`` or ``officeLocation``.
    """
    left_out: Counter[str] = Counter()
    wanted: list[Json] = []
    for raw in _listed(client):
        if reason := _not_wanted(raw, known):
            left_out[reason] += 1
        else:
            wanted.append(raw)
    settings = dict(_settings(client, [str(raw["id"]) for raw in wanted if str(raw["id"]) not in known]))
    people = []
    for raw in wanted:
        found = settings.get(str(raw["id"]), {})
        if reason := _no_person(found):
            left_out[reason] += 1
        else:
            people.append(_person(raw, found or {}, unit_from))
    return DirectoryReading(tuple(people), left_out=dict(left_out))


def _listed(client: GraphClient) -> Iterator[Json]:
    params = {"$select": FIELDS, "$expand": "manager($select=id)", "$top": PAGE}
    request = Request("GET", "/users", params, label="directory")
    yield from (raw for raw in pages(client, client.get(request), request) if raw.get("id"))


def _not_wanted(raw: Json, known: Set[str]) -> str:
    """Why an entry of the list is left out; '' when it is not. Disabled people count when we know them: they left."""
    if str(raw.get("userType") or "Member") != "Member":
        return "guest"
    if not _primary(raw):
        return "no address"
    if raw.get("accountEnabled") is False and str(raw["id"]) not in known:
        return "disabled"
    return ""


def _settings(client: GraphClient, ids: Sequence[str]) -> Iterator[tuple[str, Json | None]]:
    """Mailbox settings by directory id: None without a mailbox, empty when we may not read them."""
    for begin in range(0, len(ids), PORTION):
        yield from _settings_of(client, ids[begin : begin + PORTION])


def _settings_of(client: GraphClient, ids: Sequence[str]) -> Iterator[tuple[str, Json | None]]:
    requests = [Request("GET", f"/users/{segment(one)}/mailboxSettings", label="directory") for one in ids]
    for one, outcome in zip(ids, send_all(client, requests, patience=READING_PATIENCE), strict=True):
        if not isinstance(outcome, Answer):
            raise outcome
        if isinstance(outcome.error, NotFound) or _has_no_mailbox(outcome):
            yield one, None
        elif isinstance(outcome.error, AccessDenied):
            yield one, {}
        else:
            yield one, outcome.checked().body


def _has_no_mailbox(answer: Answer) -> bool:
    return answer.error is not None and answer.error.code == "MailboxNotEnabledForRESTAPI"


def _no_person(settings: Json | None) -> str:
    if settings is None:
        return "no mailbox"
    purpose = str(settings.get("userPurpose") or "user")
    return f"{purpose} mailbox" if purpose in NO_PERSONS else ""


def _person(raw: Json, settings: Json, unit_from: str) -> DirectoryPerson:
    primary = _primary(raw)
    above = raw.get("manager")
    return DirectoryPerson(
        directory_id=str(raw["id"]),
        address=primary,
        aliases=tuple(sorted(_addresses(raw) - {primary})),
        name=str(raw.get("displayName") or ""),
        unit=str(raw.get(unit_from) or ""),
        manager=str(above.get("id") or "") if isinstance(above, dict) else "",
        enabled=raw.get("accountEnabled") is not False,
        zone=zones.to_iana(str(settings.get("timeZone") or "")) or "",
    )


def _primary(raw: Json) -> str:
    """The primary SMTP address; ``mail`` may be missing, and both differ from the log-in name at times."""
    marked = [str(text)[5:] for text in raw.get("proxyAddresses") or () if str(text).startswith("SMTP:")]
    return (marked[0] if marked else str(raw.get("mail") or raw.get("userPrincipalName") or "")).strip().lower()


def _addresses(raw: Json) -> set[str]:
    proxies = [str(text) for text in raw.get("proxyAddresses") or ()]
    found = [text[5:] for text in proxies if text[:5].lower() == "smtp:"]
    found += [str(raw.get("mail") or ""), str(raw.get("userPrincipalName") or "")]
    return {address.strip().lower() for address in found if "@" in address}
