"""Secrets that the installation makes for itself and keeps sealed in the database."""

from __future__ import annotations

import base64
import secrets

from accounts.models import Secret

_FINGERPRINT_KEY = "fingerprint-key"
_KEY_BYTES = 32


def fingerprint_key() -> bytes:
    """The key of all fingerprints: 32 bytes, made on first use and the same ever after, whatever sealing keys rotate.

    Costs one query: read it once per task and pass it on. Safe when several processes ask first at the same time.
    """
    fresh = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
    row, _ = Secret.objects.get_or_create(name=_FINGERPRINT_KEY, defaults={"value": fresh})
    return base64.b64decode(row.value)
