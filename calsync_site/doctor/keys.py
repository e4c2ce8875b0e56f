"""Keys: are the sealing keys usable, and do they open what was sealed. A sample is opened and forgotten at once."""

from __future__ import annotations

from cryptography.fernet import Fernet
from django.conf import settings

from accounts.rotation import Column, is_newest, sealed_columns
from accounts.sealing import SealBroken, unseal
from calsync_site.doctor.finding import Finding, ok, problem, warning

SAMPLE = 50  # rows from either end of each table: the oldest keys and the newest


def look_at_keys() -> list[Finding]:
    """The keys themselves, then a sample of every sealed column."""
    keys = settings.CALSYNC_SEALING_KEYS
    try:
        [Fernet(key) for key in keys]
    except ValueError:
        remedy = 'Make one: python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
        return [problem("keys", "CALSYNC_SEALING_KEYS holds something that is not a Fernet key.", remedy)]
    looked, old, broken = 0, 0, []
    for column in sealed_columns():
        values = sample(column)
        looked += len(values)
        old += sum(not is_newest(value) for value in values)
        if bad := sum(not _opens(value) for value in values):
            broken.append(f"{column.name} ({bad} of {len(values)})")
    if broken:
        text = f"Sealed values cannot be opened: {', '.join(broken)}."
        return [problem("keys", text, SealBroken.remedy)]
    count = f"{len(keys)} sealing key{'s' if len(keys) > 1 else ''}"
    if old:
        text = f"{count}; {old} of {looked} sealed values that were looked at are sealed with an older one."
        return [warning("keys", text, "Run manage.py rotate_keys before you take an older key out of the setting.")]
    return [ok("keys", f"{count}; {looked} sealed values were opened as a sample.")]


def sample(column: Column) -> list[str]:
    """Sealed values as they stand in the database, the oldest and the newest rows."""
    oldest = dict(column.rows().order_by("pk").values_list("pk", "as_it_stands")[:SAMPLE])
    newest = dict(column.rows().order_by("-pk").values_list("pk", "as_it_stands")[:SAMPLE])
    return list((oldest | newest).values())


def _opens(value: str) -> bool:
    try:
        unseal(value)
    except SealBroken:
        return False
    return True
