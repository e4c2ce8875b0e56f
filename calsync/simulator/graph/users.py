"""Users, mailbox settings and calendar folders."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from calsync.simulator.graph import ids
from calsync.simulator.graph.errors import GraphError, Json, bad_request, unreadable_body
from calsync.simulator.graph.filters import compile_filter, walk
from calsync.simulator.graph.records import Calendar, Mailbox
from calsync.simulator.graph.requests import METADATA, GraphRequest, Reply, paged
from calsync.simulator.graph.store import GraphStore
from calsync.simulator.graph.zones import windows_of

DEFAULT_PROPERTIES = (
    "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
    "preferredLanguage", "surname", "userPrincipalName", "id",
)  # fmt: skip
NAMED_ONLY = (
    "department", "companyName", "accountEnabled", "userType", "proxyAddresses", "otherMails", "employeeOrgData",
    "onPremisesDistinguishedName", "createdDateTime", "mailNickname",
)  # fmt: skip
EXPANDED_MANAGER = re.compile(r"manager(?:\(\$select=([\w,\s]+)\))?")
ADVANCED = ("endswith(", " ne ", "not ")


def all_properties(user: Mailbox) -> Json:
    """Everything the pretend directory knows of a user."""
    given, _, surname = user.display_name.partition(" ")
    return {
        "businessPhones": [],
        "displayName": user.display_name,
        "givenName": given,
        "jobTitle": None,
        "mail": user.shown,
        "mobilePhone": None,
        "officeLocation": user.office or None,
        "preferredLanguage": None,
        "surname": surname,
        "userPrincipalName": user.shown,
        "id": user.guid,
        "department": user.department or None,
        "companyName": None,
        "accountEnabled": user.enabled,
        "userType": user.user_type,
        "proxyAddresses": [f"SMTP:{user.shown}", *(f"smtp:{alias}" for alias in user.aliases)],
        "otherMails": [],
        "employeeOrgData": None,
        "onPremisesDistinguishedName": None,
        "createdDateTime": f"{user.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "mailNickname": user.address.partition("@")[0],
    }


def list_users(request: GraphRequest, store: GraphStore, users: list[Mailbox]) -> Reply:
    """``GET /users`` over a tenant's ``users`` with $select, $filter, $top; pages of 100 by default, 999 at most."""
    names = _selected(request)
    managers = _expanded(request)
    if text := request.option("$filter"):
        _check_advanced(request, text)
        test = compile_filter(text)
        users = [user for user in users if test(partial(_value, user))]
    if request.option("$top") is None and request.prefer.page_size is None:
        request.query.append(("$top", "100"))
    if request.number("$top", 100, 1000) > 999:
        raise bad_request("Invalid page size specified: '1000'. Must be between 1 and 999 inclusive.")
    return paged(request, users, lambda user: _shown(user, names) | _manager_of(user, store, managers), context="users")


def one_user(request: GraphRequest, user: Mailbox) -> Reply:
    """``GET /users/{id}``."""
    return Reply(200, {"@odata.context": f"{METADATA}users/$entity", **_shown(user, _selected(request))})


def _check_advanced(request: GraphRequest, text: str) -> None:
    """ne, not and endsWith are advanced queries: they need the ConsistencyLevel header and $count=true."""
    eventual = request.headers.get("consistencylevel", "").lower() == "eventual"
    counted = (request.option("$count") or "").lower() == "true"
    if any(word in text.lower() for word in ADVANCED) and not (eventual and counted):
        raise bad_request("Unsupported or invalid query filter clause specified.", "Request_UnsupportedQuery")


def _selected(request: GraphRequest) -> tuple[str, ...]:
    names = tuple(request.names("$select"))
    for name in names:
        if name not in DEFAULT_PROPERTIES and name not in NAMED_ONLY:
            raise bad_request(f"Could not find a property named '{name}' on type 'microsoft.graph.user'.")
    return names or DEFAULT_PROPERTIES


def _expanded(request: GraphRequest) -> tuple[str, ...]:
    """The properties of the manager that ``$expand=manager($select=...)`` asks for; none without it."""
    text = request.option("$expand")
    if text is None:
        return ()
    found = EXPANDED_MANAGER.fullmatch(text.strip())
    if found is None:
        raise bad_request("Parsing OData Select and Expand failed.")
    return tuple(name.strip() for name in (found.group(1) or ",".join(DEFAULT_PROPERTIES)).split(","))


def _manager_of(user: Mailbox, store: GraphStore, names: tuple[str, ...]) -> Json:
    """Left out, not null, where a user has none."""
    above = store.mailboxes.get(user.manager.lower()) if names and user.manager else None
    return {} if above is None else {"manager": {"@odata.type": "#microsoft.graph.user", **_shown(above, names)}}


def _shown(user: Mailbox, names: tuple[str, ...]) -> Json:
    known = all_properties(user)
    return {name: known[name] for name in names}


def _value(user: Mailbox, path: str) -> Any:
    return walk(all_properties(user), path.split("/"))


def settings(user: Mailbox, part: str = "") -> Reply:
    """``GET /users/{id}/mailboxSettings``; the zone is told by its Windows name."""
    zone = windows_of(user.zone)
    known: Json = {
        "@odata.context": f"{METADATA}users('{user.guid}')/mailboxSettings",
        "archiveFolder": ids.calendar_id(user.guid, 0),
        "timeZone": zone,
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "dateFormat": "yyyy-MM-dd",
        "timeFormat": "HH:mm",
        "userPurpose": user.purpose,
        "language": {"locale": "en-US", "displayName": "English (United States)"},
        "workingHours": {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": "08:00:00.0000000",
            "endTime": "17:00:00.0000000",
            "timeZone": {"name": zone},
        },
    }
    if not part:
        return Reply(200, known)
    if part not in known:
        raise bad_request(f"Resource not found for the segment '{part}'.")
    return Reply(200, {"@odata.context": f"{known['@odata.context']}/{part}", "value": known[part]})


def calendars(request: GraphRequest, store: GraphStore, mailbox: Mailbox) -> Reply:
    """``/users/{id}/calendars``: list, or create a secondary calendar."""
    if request.method == "POST":
        name = request.body.get("name") if isinstance(request.body, dict) else None
        if not isinstance(name, str) or not name:
            raise unreadable_body("The property 'name' is required.")
        if any(calendar.name == name for calendar in mailbox.calendars.values()):
            raise GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.")
        created = mailbox.calendars[store.add_calendar(mailbox.address, name)]
        return Reply(201, _calendar(mailbox, created))
    found = list(mailbox.calendars.values())
    return paged(request, found, lambda one: _calendar(mailbox, one), context=f"users('{mailbox.guid}')/calendars")


def one_calendar(mailbox: Mailbox, calendar: Calendar) -> Reply:
    """``GET /users/{id}/calendar`` and ``/calendars/{id}``."""
    context = f"{METADATA}users('{mailbox.guid}')/calendars/$entity"
    return Reply(200, {"@odata.context": context, **_calendar(mailbox, calendar)})


def _calendar(mailbox: Mailbox, calendar: Calendar) -> Json:
    return {
        "id": calendar.id,
        "name": calendar.name,
        "color": "auto",
        "hexColor": "",
        "isDefaultCalendar": calendar.is_default,
        "changeKey": ids.change_key(mailbox.guid, calendar.sequence),
        "canShare": True,
        "canViewPrivateItems": True,
        "canEdit": calendar.can_edit,
        "allowedOnlineMeetingProviders": ["teamsForBusiness"],
        "defaultOnlineMeetingProvider": "teamsForBusiness",
        "isTallyingResponses": calendar.is_default,
        "isRemovable": not calendar.is_default,
        "owner": {"name": mailbox.display_name, "address": mailbox.shown},
    }
