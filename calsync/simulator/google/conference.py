"""Meet links: made on request, kept otherwise, and ignored without a word when the request does not opt in."""

from __future__ import annotations

import random
import string

from calsync.simulator.google.records import Fields

MEET = {"key": {"type": "hangoutsMeet"}, "name": "Google Meet"}


def settle(fields: Fields, version: int) -> Fields:
    """Carry out a ``createRequest``; without ``conferenceDataVersion=1`` the part is dropped."""
    data = fields.get("conferenceData")
    if not version or not data:
        fields.pop("conferenceData", None)
        fields.pop("hangoutLink", None)
        return fields
    request = data.get("createRequest") or {}
    if not request or data.get("entryPoints"):
        return fields
    code = _code(str(request.get("requestId", "")))
    link = f"https://meet.google.com/{code}"
    done = {**request, "status": {"statusCode": "success"}}
    entry = {"entryPointType": "video", "uri": link, "label": link.removeprefix("https://")}
    made = {"createRequest": done, "entryPoints": [entry], "conferenceSolution": MEET, "conferenceId": code}
    return fields | {"conferenceData": made, "hangoutLink": link}


def _code(request_id: str) -> str:
    chance = random.Random(request_id)  # noqa: S311 - a repeated request id gives the same meeting; no secret
    letters = "".join(chance.choice(string.ascii_lowercase) for _ in range(10))
    return f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"
