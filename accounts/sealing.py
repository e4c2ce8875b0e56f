"""Sealing at rest: model fields whose values are encrypted in the database and clear in memory.

What lives here: ``SealedTextField``, ``SealedJSONField`` and ``SealBroken``. What does not: key management.

The keys are ``settings.CALSYNC_SEALING_KEYS``: random Fernet keys, newest first. The first one seals, all of them
open. There is no key derivation: a Fernet key is random already, and stretching it would cost every process a
tenth of a second per key. A value that none of the keys opens raises; sealed text is never handed out as if it
were the value.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

_DUMP_PREFIX = "sealed:"  # marks a value in a dump, so that loading knows it from a clear one


class SealBroken(Exception):
    """A sealed value cannot be opened: it was sealed with a key that is not in CALSYNC_SEALING_KEYS, or damaged."""

    remedy = "Put the key that was in use before back at the end of CALSYNC_SEALING_KEYS."


def seal(clear: str) -> str:
    """Encrypt with the newest key. '' stays ''."""
    return _keyring().encrypt(clear.encode()).decode() if clear else ""


def unseal(sealed: str) -> str:
    """Decrypt with whichever key fits; raises SealBroken when none does. '' stays ''."""
    if not sealed:
        return ""
    try:
        return _keyring().decrypt(sealed).decode()
    except InvalidToken:
        # Raised from None: the chained message could quote what was read.
        raise SealBroken("A sealed value fits none of the keys in CALSYNC_SEALING_KEYS.") from None


def resealed(sealed: str) -> str:
    """The same value sealed with the newest key; raises SealBroken when no key fits."""
    try:
        return _keyring().rotate(sealed).decode()
    except InvalidToken:
        raise SealBroken("A sealed value fits none of the keys in CALSYNC_SEALING_KEYS.") from None


def _keyring() -> MultiFernet:
    return _keyring_for(tuple(settings.CALSYNC_SEALING_KEYS))


@lru_cache(maxsize=4)
def _keyring_for(keys: tuple[str, ...]) -> MultiFernet:
    """One keyring per process and key list: building one is dear, looking it up is not."""
    if not keys:
        raise ImproperlyConfigured("CALSYNC_SEALING_KEYS holds no key.")
    return MultiFernet([Fernet(key) for key in keys])


class SealedField(models.Field):
    """What both sealed fields share: kept as text, out of forms, and not to be searched."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)  # never in a form, hence never on an admin page
        super().__init__(*args, **kwargs)

    def get_internal_type(self) -> str:
        """A text column."""
        return "TextField"

    def get_lookup(self, lookup_name: str) -> Any:
        """Only ``isnull``: equal values have different sealed forms, so any other search would find nothing."""
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise FieldError(f"{self.name} is sealed and cannot be searched by {lookup_name!r}.")

    def get_transform(self, lookup_name: str) -> Any:
        """None: the database cannot look into a sealed value."""
        raise FieldError(f"{self.name} is sealed and cannot be searched by {lookup_name!r}.")

    def from_db_value(self, value: str | None, expression: Any, connection: BaseDatabaseWrapper) -> Any:  # noqa: ARG002 - Django's signature
        """Open what was read; raises SealBroken."""
        return None if value is None else self.opened(unseal(value))

    def get_prep_value(self, value: Any) -> Any:
        """Seal what is written."""
        return None if value is None else seal(self.closed(value))

    def value_to_string(self, obj: models.Model) -> str:
        """For dumps: sealed there as well."""
        value = self.value_from_object(obj)
        return "" if value is None else _DUMP_PREFIX + seal(self.closed(value))

    def to_python(self, value: Any) -> Any:
        """Take back what a dump holds; anything else is the value itself."""
        if isinstance(value, str) and value.startswith(_DUMP_PREFIX):
            return self.opened(unseal(value.removeprefix(_DUMP_PREFIX)))
        return value

    def opened(self, clear: str) -> Any:
        """The value for the text that was sealed."""
        return clear

    def closed(self, value: Any) -> str:
        """The text to seal for a value."""
        return str(value)


class SealedTextField(SealedField, models.TextField):
    """Text, sealed at rest. '' stays '' (so that "is there one" needs no key)."""


class SealedJSONField(SealedField):
    """A JSON value, sealed at rest. Dates and decimals become text, as in DjangoJSONEncoder; tuples become lists."""

    def opened(self, clear: str) -> Any:
        """Parse; a column that was never written reads as None."""
        return json.loads(clear) if clear else None

    def closed(self, value: Any) -> str:
        """Compact JSON."""
        return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))


def sealed_fields(model: type[models.Model]) -> Sequence[str]:
    """Names of a model's sealed fields, for those who must leave them out."""
    return [field.name for field in model._meta.concrete_fields if isinstance(field, SealedField)]
