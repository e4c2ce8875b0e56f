"""Tokens that providers' answers hand out and later requests repeat: access tokens, and positions in lists."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

HANDED_OUT = re.compile(
    rb'"(access_token|nextPageToken|nextSyncToken|@odata\.nextLink|@odata\.deltaLink)"\s*:\s*"([^"]+)"'
)


def handed_out(answer: bytes) -> list[str]:
    """The tokens in an answer's body, in their order; of a link, the tokens in its query."""
    tokens: list[str] = []
    for name, raw in HANDED_OUT.findall(answer):
        value = raw.decode("utf-8", "replace")
        if name.startswith(b"@odata"):
            tokens += [token for parameter, token in parse_qsl(urlsplit(value).query) if "token" in parameter]
        else:
            tokens.append(value)
    return tokens
