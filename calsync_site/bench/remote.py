"""Orders to the stage over HTTP, from the bench itself and from measured processes."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

PATIENCE = 300.0  # seconds; an order may make twenty thousand events


def order(url: str, name: str, **words: object) -> dict[str, Any]:  # Any: the stage's JSON document
    """Have the stage do something; see ``stage.Stage``."""
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{url}/_bench/{name}", json.dumps(words).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - loopback
        found: dict[str, Any] = json.load(answer)
    return found
