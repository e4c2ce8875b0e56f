"""No change without a line: every service is known here, and each that a person may ask for is called and looked at.

A module that writes rows is found by itself; a function in it that nobody has listed fails the first test.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from django.contrib import admin

from accounts.console import KeepsTrail, ReadOnlyAdmin
from accounts.models import TrailEntry, User
from tests.house.service_deeds import DEEDS, SECRET, Stage
from tests.sync.conftest import november, simulator, world  # noqa: F401 - fixtures

APPS = ("accounts", "notifications", "syncrules", "calendars", "conflicts", "calsync_site")
WRITES = {
    *("save", "create", "create_user", "create_superuser", "get_or_create", "update_or_create", "bulk_create"),
    *("bulk_update", "update", "delete", "record"),
}

ENGINE = ("calendars.sync.", "calsync_site.bench.")
"""Work that follows from what people did in their calendars. Its history stands with each event (``EventEntry``)."""

OTHERS = {  # modules that write without being services
    "accounts.console": "notes what the console's forms save",
    "accounts.mapping.checks": "changes values in memory",
    "accounts.progress": "changes values in memory",
    "accounts.secrets": "makes the installation's own secret once",
    "accounts.signin": "libraries' rows of who signs in",
    "accounts.trail": "writes the lines",
    "calendars.management.commands.explain_event": "notes a look",
    "calendars.rule_preview": "notes a look",
    "calendars.webhooks": "counts and rings",
    "calsync_site.schedules": "what the worker repeats",
    "conflicts.admin": "notes a look",
}

THROUGH = {  # service -> the one that calls it and writes the line
    "accounts.services.leaving.let_back": "accounts.services.directory.import_people",
    "accounts.services.leaving.let_go": "accounts.services.directory.import_people",
    "accounts.services.mapping.update_rows": "accounts.services.mapping.apply_mapping",
    "accounts.services.renaming.rename": "accounts.services.directory.import_people",
    "accounts.services.units.ensure_units": "accounts.services.mapping.apply_mapping",
    "calendars.decisions.decide": "conflicts.services.decide_case",
    "calendars.services.ensure_primary_calendars": "calendars.intake.bring_in_rows",
    **dict.fromkeys(
        [f"calendars.decisions.{name}" for name in ("accept", "put_back", "release", "swap", "swap_back")],
        "conflicts.services.decide_case",
    ),
}

_CONSENT = "tests/accounts/test_linking.py::test_the_trail_says_who_linked_what_and_holds_no_token"
PROVEN = {  # whose deed takes a browser at a provider's page -> the test that looks at its line
    "accounts.services.linking.complete": _CONSENT,
    "calendars.own_mailboxes.finish_link": _CONSENT,
}

BY_ITSELF = {  # nobody asks for it: a schedule, or what a provider has answered
    "accounts.consents.note_end": "a provider has ended a consent; it has a line all the same",
    "accounts.services.connections.ensure_connections_from_environment": "what the environment says",
    "accounts.services.connections.report_connection": "how a connection is doing",
    "accounts.services.mailboxes.pause_account": "a quota",
    "accounts.services.mailboxes.report_account": "how a mailbox is doing",
    "calendars.busy.roll_forward": "a schedule",
    "calendars.busy.work_out": "follows what was read",
    "calendars.decisions.settle_resolved": "a schedule",
    "calendars.health.check_health": "a schedule",
    "calendars.policy_change.carry_on": "a schedule carries on what has its line",
    "calendars.services.audit_calendars": "reads, and keeps its result as a row of its own",
    "calendars.services.clean_up": "a schedule",
    "calendars.services.look_up": "a calendar's name and zone, as the provider tells them",
    "conflicts.detection.catch_up": "follows what was read",
    "conflicts.detection.look": "follows what was read",
    "conflicts.detection.look_at_unit": "follows a policy, which has its line",
    "calendars.trials.try_connections": "a schedule",
    "conflicts.services.close_settled": "a schedule",
    "conflicts.services.open_cases": "a schedule",
    "notifications.services.tell": "a message about what has its line",
    "notifications.mail.send_due": "a schedule",
    "notifications.services.tell_all": "a message about what has its line",
    "notifications.services.tell_it": "a message about what a schedule found",
}

READS = {
    "accounts.consents": {"desk_of", "is_offered"},
    "accounts.rotation": {"is_newest", "sealed_columns"},
    "accounts.services.connections": {"configured_google", "configured_microsoft"},
    "accounts.services.directory": {"known_ids"},
    "accounts.services.linking": {"begin", "expected_address"},
    "accounts.services.mapped_mailboxes": {"plan_mailboxes"},
    "accounts.services.mapping": {"check_mapping", "waves"},
    "accounts.services.roles": {"holds", "may_grant"},
    "accounts.services.units": {"attached_to"},
    "calendars.busy": {"attendees_of", "due_events", "horizon"},
    "calendars.decisions": {"is_done"},
    "calendars.health": {"worst"},
    "calendars.intake": {"read_people"},
    "calendars.own_mailboxes": {"begin_link", "linked_account", "places"},
    "calendars.policy_change": {"preview", "standing"},
    "calendars.removal": {"count_copies", "preview"},
    "calendars.rule_changes": {"look_ahead"},
    "calendars.services": {"count_audits", "totals"},
    "conflicts.detection": {"counting_of", "overlaps_of", "sentence"},
    "syncrules.services.exchange": {"export_rules"},
    "syncrules.services.rules": {"draft_as_it_is", "require_newest"},
}
LISTED = {*DEEDS, *THROUGH, *PROVEN, *BY_ITSELF, *(f"{room}.{name}" for room, names in READS.items() for name in names)}

CONSOLE = {"accounts.orgunit", "accounts.tenantconnection", "conflicts.overlappolicy", "syncrules.rule"}
"""Admins of ours whose forms go through services of the lists above."""


def modules(root: Path) -> dict[str, ast.Module]:
    """The modules of the apps by name; models, migrations and the engine's work left out."""
    found = {}
    for path in sorted(path for app in APPS for path in (root / app).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        if not {"migrations", "models"} & set(parts) and not name.startswith(ENGINE):
            found[name] = ast.parse(path.read_text())
    return found


def writes(tree: ast.AST) -> bool:
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return bool({call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls} & WRITES)


def public_functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    return {
        node.name: node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


def services_in(found: dict[str, ast.Module]) -> dict[str, ast.FunctionDef]:
    """Every public function of modules that write, and of those in a room of services."""
    listed_rooms = {name.rpartition(".")[0] for name in LISTED}
    return {
        f"{module}.{name}": function
        for module, tree in found.items()
        if module not in OTHERS and (writes(tree) or "services" in module.split(".") or module in listed_rooms)
        for name, function in public_functions(tree).items()
    }


@pytest.fixture(scope="module")
def services(repository) -> dict[str, ast.FunctionDef]:
    return services_in(modules(repository))


def test_every_service_is_listed(services):
    assert {name for name in services if name not in LISTED} == set(), "say in service_deeds which line it writes"
    assert {name for name in LISTED if name not in services} == set(), "listed here and nowhere to be found"


def test_a_new_service_is_noticed():
    tree = ast.parse("def forget(*, person):\n    person.delete()\n")
    assert services_in({"accounts.forgetting": tree}).keys() == {"accounts.forgetting.forget"}


def test_what_only_reads_writes_nothing(services):
    reading = {f"{room}.{name}" for room, names in READS.items() for name in names}
    assert {name for name in reading if writes(services[name])} == set()


def callers(found: dict[str, ast.Module], service: str) -> set[str]:
    """The modules of the apps that import a service, or its module and name it."""
    room, _, name = service.rpartition(".")
    return {module for module, tree in found.items() if any(_names(node, room, name) for node in ast.walk(tree))}


def _names(node: ast.AST, room: str, name: str) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == room and name in {one.name for one in node.names}
    is_there = isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.value, ast.Name)
    return is_there and node.value.id == room.rpartition(".")[2]


def test_what_has_its_line_through_another_is_called_by_services_alone(repository):
    found = modules(repository)
    rooms = {name.rpartition(".")[0] for name in LISTED}
    astray = {name: callers(found, name) - rooms for name in THROUGH}
    assert {name: others for name, others in astray.items() if others} == {}
    assert callers(found, "calendars.decisions.decide") == {"conflicts.services"}
    assert set(THROUGH.values()) <= DEEDS.keys()


def test_the_tests_that_look_at_other_lines_are_there(repository):
    for proof in PROVEN.values():
        file, _, name = proof.partition("::")
        assert f"def {name}(" in (repository / file).read_text()


def test_other_modules_that_write_are_still_there(repository):
    found = modules(repository)
    assert {name for name in OTHERS if name not in found or not writes(found[name])} == set()


@pytest.fixture
def stage(world) -> Stage:  # noqa: F811
    ada = world.person("ada")
    ada.in_outlook(subject=SECRET)
    world.activate()
    return Stage(world, ada, User.objects.create_superuser("root@example.org", "x"))


@pytest.mark.parametrize("service", sorted(DEEDS))
def test_a_service_writes_its_line(stage, service):
    action, prepare = DEEDS[service]
    call = prepare(stage)
    last = TrailEntry.objects.order_by("pk").values_list("pk", flat=True).last() or 0
    call()
    lines = TrailEntry.objects.filter(pk__gt=last)
    assert action in set(lines.values_list("action", flat=True))
    told = json.dumps(list(lines.values("target_name", "reason", "facts")))
    assert SECRET not in told
    assert "hunter2" not in told


def test_forms_of_the_console_write_lines_or_go_through_services():
    silent = {
        model._meta.label_lower
        for model, page in admin.site._registry.items()
        if model._meta.app_label in (*APPS, "auth") and not isinstance(page, KeepsTrail | ReadOnlyAdmin)
    }
    assert silent == CONSOLE
