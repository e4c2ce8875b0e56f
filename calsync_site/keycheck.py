"""Refusing to start with sealing keys that do not open this database."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from accounts.models import Secret
from accounts.sealing import SealBroken


def refuse_wrong_keys() -> None:
    """Open the oldest secret of the installation; raises ImproperlyConfigured when no key fits.

    A database that is not there yet, or not now, is no matter of keys: whoever needs it says so.
    """
    try:
        Secret.objects.order_by("pk").first()
    except SealBroken as error:
        raise ImproperlyConfigured(
            f"CALSYNC_SEALING_KEYS does not fit this database: a sealed value cannot be opened. {error.remedy}"
        ) from None
    except DatabaseError:
        return
