"""The console's navigation: by what IT staff come for, not by app."""

from __future__ import annotations

from django.urls import reverse_lazy
from django.utils.functional import Promise

Entry = dict[str, "str | Promise"]

PAGES = {"health"}  # addresses of their own; all others are admin lists
GROUPS: dict[str, tuple[tuple[str, str, str], ...]] = {  # title -> (name, icon, page)
    "Sync": (
        ("Health", "monitor_heart", "health"),
        ("Calendars", "calendar_month", "calendars_calendar"),
        ("Planned writes", "outbox", "calendars_operation"),
        ("Push channels", "podcasts", "calendars_watch"),
        ("Notifications received", "notifications", "calendars_hookcount"),
        ("Audits", "fact_check", "calendars_auditrun"),
    ),
    "To decide": (
        ("Cases", "gavel", "conflicts_case"),
        ("Findings", "search_insights", "calendars_finding"),
        ("Double bookings", "event_busy", "conflicts_doublebooking"),
        ("What counts as one", "tune", "conflicts_overlappolicy"),
    ),
    "People": (
        ("People", "person", "accounts_user"),
        ("Unmatched people", "person_search", "accounts_foundmailbox"),
        ("Org units", "account_tree", "accounts_orgunit"),
        ("Groups of people", "groups", "accounts_peoplegroup"),
        ("Mailboxes", "mail", "accounts_linkedaccount"),
        ("People's own consents", "verified_user", "accounts_consent"),
        ("Tenant connections", "hub", "accounts_tenantconnection"),
        ("Messages", "inbox", "notifications_message"),
    ),
    "Rules": (
        ("Rules", "rule", "syncrules_rule"),
        ("Switches", "toggle_on", "syncrules_switch"),
        ("Changes of rules", "published_with_changes", "calendars_policychange"),
    ),
    "Audit trail": (("Audit trail", "history", "accounts_trailentry"),),
    "Inside": (
        ("Events", "event", "calendars_event"),
        ("Links", "link", "calendars_link"),
        ("Busy time", "schedule_send", "calendars_busyslot"),
        ("Secrets", "key", "accounts_secret"),
        ("Schedules", "schedule", "django_q_schedule"),
        ("Queued tasks", "queue", "django_q_ormq"),
        ("Failed tasks", "error", "django_q_failure"),
    ),
}


def console_navigation() -> list[dict[str, object]]:
    """The sidebar of the console, in the theme's form; addresses are resolved when they are shown."""
    return [
        {
            "title": title,
            "separator": True,
            "collapsible": title == "Inside",
            "items": [_entry(*item) for item in items],
        }
        for title, items in GROUPS.items()
    ]


def _entry(name: str, icon: str, page: str) -> Entry:
    return {"title": name, "icon": icon, "link": reverse_lazy(page if page in PAGES else f"admin:{page}_changelist")}
