"""People as a mapping file that changes nothing when it is applied again."""

from __future__ import annotations

import csv
import io

from accounts.mapping.formulas import as_text
from accounts.mapping.reading import COLUMNS
from accounts.models import Clearance, LinkedAccount, User
from calsync.engine.events import Platform


def people_as_csv() -> str:
    """Everybody who is active, with the mapped mailboxes in use. Cells are safe to open as a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    boxes = _mailboxes()
    people = (
        User.objects.active()
        .order_by("email")
        .values_list("pk", "email", "name", "org_unit__path", "time_zone", "clearance", "manager__email")
    )
    for pk, email, name, unit, zone, clearance, manager in people.iterator(chunk_size=5_000):
        places = [boxes.get((pk, platform.value), "") for platform in (Platform.OUTLOOK, Platform.GOOGLE)]
        row = [email, name, unit or "", zone, Clearance(clearance).label, manager or "", *places]
        writer.writerow([as_text(cell) for cell in row])
    return out.getvalue()


def _mailboxes() -> dict[tuple[int, str], str]:
    accounts = LinkedAccount.objects.in_use().mapped().order_by()
    rows = accounts.values_list("person_id", "platform", "address")
    return {(person, platform): address for person, platform, address in rows.iterator(chunk_size=5_000)}
