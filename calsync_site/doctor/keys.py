"""Keys: are the sealing keys usable, and do they open what was sealed. A sample is opened and forgotten at once."""

from __future__ import annotations

from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import settings
from django.db.models import Model, TextField
from django.db.models.functions import Cast

from accounts.sealing import SealBroken, sealed_fields, unseal
from calsync_site.doctor.finding import Finding, ok, problem

SAMPLE = 50  # rows from either end of each table: the oldest keys and the newest


def look_at_keys() -> list[Finding]:
    """The keys themselves, then a sample of every sealed column."""
    keys = settings.CALSYNC_SEALING_KEYS
    try:
        [Fernet(key) for key in keys]
    except ValueError:
        remedy = 'Make one: python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
        return [problem("keys", "CALSYNC_SEALING_KEYS holds something that is not a Fernet key.", remedy)]
    looked, broken = 0, []
    for model in apps.get_models():
        for field in sealed_fields(model):
            values = sample(model, field)
            looked += len(values)
            if bad := sum(not _opens(value) for value in values):
                broken.append(f"{model._meta.label}.{field} ({bad} of {len(values)})")
    if broken:
        text = f"Sealed values cannot be opened: {', '.join(broken)}."
        return [problem("keys", text, SealBroken.remedy)]
    count = f"{len(keys)} sealing key{'s' if len(keys) > 1 else ''}"
    return [ok("keys", f"{count}; {looked} sealed values were opened as a sample.")]


def sample(model: type[Model], field: str) -> list[str]:
    """Sealed values as they stand in the database, the oldest and the newest rows."""
    filled = model._default_manager.exclude(**{f"{field}__isnull": True})
    # Cast: as plain text the column is read without being opened.
    raw = filled.annotate(as_it_stands=Cast(field, TextField()))
    oldest = dict(raw.order_by("pk").values_list("pk", "as_it_stands")[:SAMPLE])
    newest = dict(raw.order_by("-pk").values_list("pk", "as_it_stands")[:SAMPLE])
    return list((oldest | newest).values())


def _opens(value: str) -> bool:
    try:
        unseal(value)
    except SealBroken:
        return False
    return True
