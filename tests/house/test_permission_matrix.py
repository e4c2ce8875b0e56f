"""Who may do what: every page, admin, action and command with the roles it is for. What is new and not here fails.

The tables stand here; ``test_permission_pages``, ``test_permission_deeds`` and ``test_permission_content`` drive each
cell of them: every role against what is its own, its unit's, another unit's and above its clearance.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.management import get_commands, load_command_class
from django.urls import URLPattern, URLResolver, get_resolver

CONSOLE = ("it", "unit_admin", "approver", "auditor")  # whom the console lets in at all

ALL, SALES = frozenset(CONSOLE), frozenset(CONSOLE) - {"approver"}
ADMINS: dict[str, frozenset[str]] = {  # model -> who may open its list, and a row of their own unit
    "accounts.user": ALL,
    "accounts.orgunit": ALL,
    "accounts.linkedaccount": SALES,
    "accounts.consent": SALES,
    "accounts.tenantconnection": frozenset({"it", "auditor"}),
    "accounts.secret": frozenset({"it"}),
    "accounts.trailentry": frozenset({"it", "auditor"}),
    "accounts.peoplegroup": frozenset({"it"}),
    "accounts.foundmailbox": frozenset({"it"}),
    "auth.group": frozenset({"it"}),
    "calendars.calendar": ALL,
    "calendars.watch": SALES,
    "calendars.event": ALL,
    "calendars.link": SALES,
    "calendars.operation": SALES,
    "calendars.finding": ALL,
    "calendars.busyslot": SALES,
    "calendars.hookcount": frozenset({"it", "auditor"}),
    "calendars.auditrun": frozenset({"it", "auditor"}),
    "calendars.policychange": frozenset({"it"}),
    "conflicts.case": ALL,
    "conflicts.doublebooking": SALES,
    "conflicts.overlappolicy": SALES,
    "notifications.message": SALES,
    "syncrules.switch": SALES,
    "syncrules.rule": frozenset({"it"}),
    "syncrules.mention": frozenset({"it"}),
    "syncrules.ruleversion": frozenset({"it"}),
}
CHANGES: dict[str, set[str]] = {  # model -> who may change a row within reach by its form, beside IT administrators
    "accounts.user": {"unit_admin"},
    "accounts.linkedaccount": {"unit_admin"},
    "conflicts.overlappolicy": {"unit_admin"},
    "accounts.orgunit": set(),
    "accounts.peoplegroup": set(),
    "accounts.tenantconnection": set(),
    "auth.group": set(),
    "syncrules.rule": set(),
}
ADDED = {*CHANGES}  # models whose rows IT administrators may add by a form
DELETED_IN_PLACE = {"conflicts.overlappolicy"}  # the same, of rows that belong to a unit
DELETED = {"accounts.peoplegroup", "auth.group"}  # models whose rows IT administrators may delete, as they stand here
ACTIONS: dict[str, dict[str, set[str]]] = {  # model -> action -> for whom it changes rows within reach
    "accounts.user": {"single_platform_is_right": {"it", "unit_admin"}},
    "accounts.orgunit": {"merge": {"it"}, "delete_empty": {"it"}},
    "accounts.linkedaccount": {"disable": {"it", "unit_admin"}, "enable": {"it", "unit_admin"}},
    "accounts.foundmailbox": {name: {"it"} for name in ("confirm", "choose", "make_people", "ignore")},
    "calendars.calendar": {
        "read_now": {"it", "unit_admin", "approver", "auditor"},
        **{f"as_{level}": {"it"} for level in ("public", "internal", "confidential", "restricted")},
    },
    "conflicts.case": {
        f"{verb}_chosen": {"it", "unit_admin", "approver"}
        for verb in ("release", "put_back", "swap", "accept", "refuse")
    },
    "syncrules.switch": {"switch_on_again": {"it", "unit_admin"}},
}
CONSOLE_PAGES: dict[str, set[str]] = {  # pages of our own in the console -> whom they open, for rows within reach
    "accounts_user_from_file": {"it"},
    "accounts_tenantconnection_guide": {"it", "auditor", "overseer"},
    "accounts_tenantconnection_own_guide": {"it", "overseer"},
    "accounts_tenantconnection_test": {"it"},
    "accounts_tenantconnection_people": {"it"},
    "accounts_user_grant_a_role": {"it", "unit_admin"},
    "accounts_user_revoke_a_role": {"it", "unit_admin"},
    "accounts_orgunit_grant_a_role": {"it", "unit_admin"},
    "accounts_orgunit_revoke_a_role": {"it", "unit_admin"},
    "auth_user_password_change": {"it"},
    "calendars_policychange_preview": {"it"},
    "calendars_policychange_step": {"it"},
    "conflicts_case_decide": {"it", "unit_admin", "approver"},
    "syncrules_rule_history_of_rule": {"it"},
    "syncrules_rule_move": {"it"},
    "syncrules_rule_export_file": {"it"},
    "syncrules_rule_import_file": {"it"},
    "syncrules_rule_try_it": {"it"},
    "syncrules_switch_switch_sync_off": {"it", "unit_admin"},
}
FRAME = {  # of the console itself
    *("index", "login", "logout", "password_change", "password_change_done", "jsi18n", "app_list"),
    *("search", "autocomplete", "view_on_site"),  # these name rows: each is driven by itself
}
FOR_IT_ALONE = ("account.", "socialaccount.", "django_q.", "guardian.", "mfa.", "axes.")  # pages of libraries
PAGES = {  # name -> whom the page answers
    "people-file": {"it"},
    "people-export": {"it", "overseer"},
    "activate-sync": {"it"},
    "health": {*ALL, "overseer"},
}
PUBLIC = {"home", "hook-graph", "hook-google"}  # the first leads to the sign-in, the others ask for a secret
OWN = {  # act on what is one's own, read no ids, and lead whoever is not signed in to the sign-in
    "mailbox-link": ["google"],
    "mailbox-linked": ["google"],
    "mailbox-disconnect": ["google"],
}
CLOSED = (  # of the sign-in library's pages: by these people could make, merge or rename accounts
    "account_signup",
    "account_email",
    "account_change_password",
    "account_set_password",
    "account_reset_password",
    "socialaccount_connections",
    "socialaccount_signup",
)
SIGN_IN = {  # concern whoever asks and nobody else
    *CLOSED,
    *(f"account_{page}" for page in ("confirm_email", "confirm_login_code", "email_verification_sent", "inactive")),
    *(f"account_{page}" for page in ("login", "logout", "reauthenticate", "reset_password_done")),
    *(f"account_reset_password_from_key{page}" for page in ("", "_done")),
    *(f"mfa_{page}" for page in ("index", "authenticate", "reauthenticate", "activate_totp", "deactivate_totp")),
    *(f"mfa_{verb}_recovery_codes" for verb in ("download", "generate", "view")),
    *(f"mfa_{verb}_webauthn" for verb in ("add", "edit", "list", "login", "reauthenticate", "remove")),
    *(f"socialaccount_login_{page}" for page in ("cancelled", "error")),
    *(f"social/{page}/" for page in ("connections", "login/cancelled", "login/error", "signup")),
    *(f"{provider}_{step}" for provider in ("microsoft", "google", "openid_connect") for step in ("login", "callback")),
}
COMMANDS = {  # run by whoever has a shell on the machine, and with it the keys: that is IT, whoever it is
    "activate_sync",
    "audit",
    "bench",
    "demo",
    "doctor",
    "explain_event",
    "free_slots",
    "import_directory",
    "map_org_units",
    "overlaps",
    "remove_copies",
    "rotate_keys",
    "rules",
    "schedule",
    "simulate",
    "sync",
    "try_rule",
    "worker",
}
ASKS_AS = {"explain_event"}  # tell what events are about to whom they are told to ask for: --as
OURS = ("accounts", "calendars", "conflicts", "notifications", "syncrules", "calsync_site")


# --- nothing is left out --------------------------------------------------------------------------------------


def test_every_admin_is_in_the_matrix():
    get_resolver()._populate()  # addresses bring pages along
    labels = {model._meta.label_lower for model in admin.site._registry}
    assert {label for label in labels if not label.startswith(FOR_IT_ALONE)} == ADMINS.keys()


def test_every_address_is_in_the_matrix():
    ours = {name for name in names_in(get_resolver()) if not name.startswith("^")} - SIGN_IN
    assert ours == PUBLIC | PAGES.keys() | OWN.keys()


def test_every_page_of_the_console_is_in_the_matrix():
    console = next(entry for entry in get_resolver().url_patterns if getattr(entry, "namespace", "") == "admin")
    pages = ("changelist", "add", "history", "delete", "change")
    of_models = {f"{label_of(model, '_')}_{page}" for model in admin.site._registry for page in pages}
    bare = {
        "<path:object_id>/",
        "(?P<url>.*)$",
    }  # an address without its page leads to it; the last one says that there is none
    assert {name for name in names_in(console) if name not in bare} - of_models == FRAME | CONSOLE_PAGES.keys()


def test_every_action_is_in_the_matrix():
    found: dict[str, set[str]] = {}
    for model, page in admin.site._registry.items():
        if page.actions and not label_of(model).startswith(FOR_IT_ALONE):
            found[label_of(model)] = {action if isinstance(action, str) else action.__name__ for action in page.actions}
    assert found == {label: set(actions) for label, actions in ACTIONS.items()}


def label_of(model: Any, between: str = ".") -> str:
    return f"{model._meta.app_label}{between}{model._meta.model_name}"


def names_in(resolver: URLResolver) -> list[str]:
    """The names of all addresses but those of the console, unless it is the console that is looked into."""
    found: list[str] = []
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            found.append(entry.name or str(entry.pattern))
        elif entry.namespace != "admin":
            found += names_in(entry)
    return found


def test_every_command_is_in_the_matrix():
    assert {name for name, app in get_commands().items() if app in OURS} == COMMANDS


def test_every_command_that_tells_for_somebody_is_in_the_matrix():
    found = set()
    for name in COMMANDS:
        parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
        if any("--as" in option.option_strings for option in parser._actions):
            found.add(name)
    assert found == ASKS_AS
