"""The Prefer header: several headers or one comma list, values quoted or not. What was applied is told back."""

from __future__ import annotations

import re
from dataclasses import dataclass

from calsync.simulator.graph.errors import unknown_zone
from calsync.simulator.graph.zones import iana_of

PART = re.compile(r'\s*([\w.\-]+)\s*(?:=\s*(?:"([^"]*)"|([^",;]*)))?\s*(?:;[^,]*)?(?:,|$)')


@dataclass(frozen=True, slots=True)
class Prefer:
    """What a request prefers. ``zone`` is IANA, ``zone_named`` as the client spelled it (echoed verbatim)."""

    zone: str = "UTC"
    zone_named: str = "UTC"
    text_body: bool = False
    immutable: bool = False
    page_size: int | None = None
    applied: str = ""


DEFAULT = Prefer()


def read_prefer(header: str) -> Prefer:
    """Parse the (joined) header; unknown preferences are ignored, an unknown zone is refused."""
    if not header:
        return DEFAULT
    asked = {name.lower(): quoted or bare.strip() for name, quoted, bare in PART.findall(header)}
    named = asked.get("outlook.timezone", "")
    zone = iana_of(named) if named else "UTC"
    if zone is None:
        raise unknown_zone(named)
    size = asked.get("odata.maxpagesize", "")
    return Prefer(
        zone=zone,
        zone_named=named or "UTC",
        text_body=asked.get("outlook.body-content-type", "").lower() == "text",
        immutable=asked.get("idtype", "").lower() == "immutableid",
        page_size=max(1, min(int(size), 1000)) if size.isdigit() else None,
        applied=_applied(asked),
    )


def _applied(asked: dict[str, str]) -> str:
    names = {
        "outlook.timezone": "outlook.timezone",
        "outlook.body-content-type": "outlook.body-content-type",
        "idtype": "IdType",
    }
    told = [f'{shown}="{asked[name]}"' for name, shown in names.items() if asked.get(name)]
    if asked.get("odata.maxpagesize", "").isdigit():
        told.append(f"odata.maxpagesize={asked['odata.maxpagesize']}")
    return ", ".join(told)
