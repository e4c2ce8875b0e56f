"""Every service that changes something because a person asked for it: one call of each, with the line that it writes.

A deed prepares what its service needs and gives back the call itself, so that lines of the preparation do not count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml
from django.utils import timezone

from accounts.credentials import secret_proof
from accounts.mapping.rows import PersonRow
from accounts.models import Clearance, FoundMailbox, LinkedAccount, OrgUnit, TenantConnection, User
from accounts.roles import Role
from accounts.rotation import rotate
from accounts.services import connections, directory, found, linking, mailboxes, mapping, people, roles, units
from calendars import intake, own_mailboxes, policy_change, removal, rule_changes, services
from calendars.choices import Decision
from calendars.models import Calendar, Finding
from calendars.sync.policy_effects import PolicyPreview
from calsync.providers.people import DirectoryPerson, DirectoryReading
from conflicts.models import Case
from conflicts.services import decide_case, open_cases
from syncrules.models import Rule
from syncrules.services import exchange, rules, switches
from syncrules.written import draft_of
from tests.factories import ConnectionFactory, UserFactory

Call = Callable[[], object]
SECRET = "Salary of Kim"


@dataclass
class Stage:
    """A person whose events are in step, and the administrator who acts."""

    world: Any  # of the pipeline's tests
    ada: Any
    root: User

    @property
    def now(self):
        return timezone.now()


DEEDS: dict[str, tuple[str, Callable[[Stage], Call]]] = {}
"""Service -> the action that its line names, and the deed."""


def deed(service: str, action: str):
    def keep(make: Callable[[Stage], Call]) -> Callable[[Stage], Call]:
        DEEDS[service] = (action, make)
        return make

    return keep


# --- people, units, mailboxes -----------------------------------------------------------------------------------


def reading(name="kim") -> DirectoryReading:
    entry = DirectoryPerson(f"id-{name}", f"{name}@g.example", (), name.title(), "/Sales", "", True)
    return DirectoryReading((entry,))


def row(name="kim") -> PersonRow:
    return PersonRow(2, f"{name}@x.example", name.title(), "/Sales", "UTC", None, None, {})


def mailbox(candidate: User | None) -> FoundMailbox:
    return FoundMailbox.objects.create(
        platform="google", connection=ConnectionFactory(), directory_id="id-1", address="kim@g.example", name="Kim",
        reason="x", found_at=timezone.now(), candidate=candidate,
    )  # fmt: skip


@deed("accounts.rotation.rotate", "keys.rotated")
def _rotate(on: Stage) -> Call:
    return lambda: rotate(now=on.now)


@deed("accounts.services.connections.save_connection", "connection.saved")
def _connection(on: Stage) -> Call:
    row = TenantConnection(platform="outlook", name="Larkfield", tenant="lark.example", client="c", state_since=on.now)
    return lambda: connections.save_connection(connection=row, proof=secret_proof("hunter2", None), now=on.now)


@deed("accounts.services.directory.import_people", "directory.imported")
def _directory(on: Stage) -> Call:
    connection = ConnectionFactory()
    return lambda: directory.import_people(reading=reading(), connection=connection, now=on.now)


@deed("calendars.intake.bring_in_directory", "directory.imported")
def _directory_with_calendars(on: Stage) -> Call:
    connection = ConnectionFactory()
    return lambda: intake.bring_in_directory(reading=reading(), connection=connection, now=on.now)


def _about_found(of: Any) -> None:
    for name in ("confirm_found", "give_found", "make_people_of_found"):
        given = {"give_found": {"person": UserFactory}}.get(name, {})

        def make(on: Stage, name=name, given=given) -> Call:
            rows = [mailbox(UserFactory())]
            more = {key: maker() for key, maker in given.items()}
            return lambda: getattr(of, name)(found=rows, now=on.now, **more)

        deed(f"{of.__name__}.{name}", "found.linked")(make)


_about_found(found)
_about_found(intake)


@deed("accounts.services.found.ignore_found", "found.ignored")
def _ignore(on: Stage) -> Call:
    rows = [mailbox(None)]
    return lambda: found.ignore_found(found=rows, now=on.now)


@deed("accounts.services.mapping.apply_mapping", "mapping.applied")
def _mapping(on: Stage) -> Call:
    return lambda: mapping.apply_mapping(rows=[row()], now=on.now)


@deed("calendars.intake.bring_in_rows", "mapping.applied")
def _rows(on: Stage) -> Call:
    return lambda: intake.bring_in_rows(rows=[row()], now=on.now)


def _linked(on: Stage) -> LinkedAccount:
    account = LinkedAccount.objects.filter(person=on.ada.user, platform="google").get()
    account.open_by_consent(now=on.now)
    account.save()
    return account


@deed("accounts.services.linking.disconnect", "mailbox.disconnected")
def _part(on: Stage) -> Call:
    account = _linked(on)
    return lambda: linking.disconnect(account=account, now=on.now)


@deed("calendars.own_mailboxes.disconnect", "mailbox.disconnected")
def _part_with_calendars(on: Stage) -> Call:
    account = _linked(on)
    return lambda: own_mailboxes.disconnect(account=account, clock=timezone.now)


@deed("accounts.services.mailboxes.disable_accounts", "mailboxes.disabled")
def _disable(on: Stage) -> Call:
    return lambda: mailboxes.disable_accounts(accounts=LinkedAccount.objects.all(), reason="left", now=on.now)


@deed("accounts.services.mailboxes.enable_accounts", "mailboxes.enabled")
def _enable(on: Stage) -> Call:
    _disable(on)()
    return lambda: mailboxes.enable_accounts(accounts=LinkedAccount.objects.all(), now=on.now)


@deed("accounts.services.people.be_on_one_platform", "people.single_platform")
def _single(on: Stage) -> Call:
    return lambda: people.be_on_one_platform(people=User.objects.filter(pk=on.ada.user.pk), now=on.now)


def _role(on: Stage) -> dict[str, Any]:
    unit = OrgUnit.objects.get(path="/Sales")
    return {"role": Role.AUDITOR, "person": on.ada.user, "unit": unit, "by": on.root, "reason": "x", "now": on.now}


@deed("accounts.services.roles.grant_role", "role.granted")
def _grant(on: Stage) -> Call:
    return lambda: roles.grant_role(**_role(on))


@deed("accounts.services.roles.revoke_role", "role.revoked")
def _revoke(on: Stage) -> Call:
    _grant(on)()
    return lambda: roles.revoke_role(**_role(on))


@deed("accounts.services.units.place_unit", "units.moved")
def _place(on: Stage) -> Call:
    unit = OrgUnit.objects.get(path="/Sales")
    return lambda: units.place_unit(unit=unit, name="Commerce", parent=None, now=on.now)


@deed("accounts.services.units.merge_units", "units.merged")
def _merge(on: Stage) -> Call:
    made, _ = units.ensure_units(["/A", "/B"])
    return lambda: units.merge_units(units=[made["/A"]], into=made["/B"], now=on.now)


@deed("accounts.services.units.delete_unit", "units.deleted")
def _delete(on: Stage) -> Call:
    made, _ = units.ensure_units(["/A"])
    return lambda: units.delete_unit(unit=made["/A"], now=on.now)


# --- calendars and cases ----------------------------------------------------------------------------------------


@deed("calendars.services.deactivate", "calendars.deactivated")
def _deactivate(on: Stage) -> Call:
    return lambda: services.deactivate(calendars=Calendar.objects.all(), reason="x", now=on.now)


@deed("calendars.services.activate", "calendars.activated")
def _activate(on: Stage) -> Call:
    _deactivate(on)()
    return lambda: services.activate(calendars=Calendar.objects.all(), from_now=True, now=on.now)


@deed("calendars.services.classify", "calendars.classified")
def _classify(on: Stage) -> Call:
    calendars = Calendar.objects.all()
    return lambda: services.classify(calendars=calendars, level=Clearance.PUBLIC, reason="x", now=on.now)


@deed("calendars.services.repair_differences", "copies.repaired")
def _repair(on: Stage) -> Call:
    on.ada.delete_google(on.ada.google[0]["id"])
    report = on.world.audit()
    calendars = Calendar.objects.all()
    return lambda: services.repair_differences(calendars=calendars, report=report, clock=timezone.now)


@deed("calendars.removal.remove_copies", "copies.removed")
def _remove(on: Stage) -> Call:
    calendars = Calendar.objects.all()
    return lambda: removal.remove_copies(calendars=calendars, clock=timezone.now, progress=lambda *told: None)


@deed("conflicts.services.decide_case", "case.decided")
def _decide(on: Stage) -> Call:
    Finding.objects.create(
        kind="cannot_represent", person=on.ada.user, text="It cannot be so there.", created_at=on.now,
        calendar=Calendar.objects.first(),
    )  # fmt: skip
    open_cases(now=on.now)
    case = Case.objects.get()
    return lambda: decide_case(case=case, decision=Decision.ACCEPT, by=on.root, reason="x", now=on.now)


# --- rules, switches, changes -----------------------------------------------------------------------------------


def _draft(**form: Any):
    return draft_of({"name": "Busy", "when": {"title": "salary"}, "then": {"details": "busy"}, **form})


def _make(on: Stage) -> Rule:
    return rules.create_rule(draft=_draft(), by=on.root, why="x", now=on.now)


def _said(on: Stage) -> dict[str, Any]:
    return {"by": on.root, "why": "x", "now": on.now}


@deed("syncrules.services.rules.create_rule", "rule.created")
def _create_rule(on: Stage) -> Call:
    return lambda: _make(on)


@deed("syncrules.services.rules.change_rule", "rule.changed")
def _change_rule(on: Stage) -> Call:
    rule = _make(on)
    return lambda: rules.change_rule(rule=rule, draft=_draft(then={"details": "title"}), **_said(on))


@deed("syncrules.services.rules.set_enabled", "rule.disabled")
def _set_enabled(on: Stage) -> Call:
    rule = _make(on)
    return lambda: rules.set_enabled(rule=rule, on=False, **_said(on))


@deed("syncrules.services.rules.move_rule", "rule.moved")
def _move_rule(on: Stage) -> Call:
    _make(on)
    second = rules.create_rule(draft=_draft(name="Second"), **_said(on))
    return lambda: rules.move_rule(rule=second, position=1, **_said(on))


@deed("syncrules.services.rules.restore_version", "rule.restored")
def _restore(on: Stage) -> Call:
    rule = _make(on)
    rules.change_rule(rule=rule, draft=_draft(then={"do": "skip"}), **_said(on))
    return lambda: rules.restore_version(rule=rule, number=1, **_said(on))


@deed("syncrules.services.exchange.import_rules", "rule.created")
def _import(on: Stage) -> Call:
    text = yaml.safe_dump({"form": 1, "rules": [{"name": "A"}]})
    return lambda: exchange.import_rules(text=text, **_said(on))


def _switched(on: Stage) -> dict[str, Any]:
    return {"target": switches.Target.one_person(on.ada.user), "reason": "x", "by": on.root, "now": on.now}


@deed("syncrules.services.switches.switch_off", "switch.off")
def _off(on: Stage) -> Call:
    return lambda: switches.switch_off(**_switched(on), holds_from=on.now + timedelta(days=1))


@deed("syncrules.services.switches.switch_on", "switch.on")
def _on(on: Stage) -> Call:
    _off(on)()
    return lambda: switches.switch_on(**_switched(on))


@deed("calendars.rule_changes.make", "policy.begun")
def _make_change(on: Stage) -> Call:
    ahead = rule_changes.look_ahead(change=lambda: _make(on), now=on.now)
    assert ahead.found.events
    return lambda: rule_changes.make(change=lambda: _make(on), ahead=ahead, by=on.root, reason="x", now=on.now)


def _begun(on: Stage):
    event = on.ada.user.events.values_list("pk", flat=True).first()
    return policy_change.start(found=PolicyPreview(events=[event]), by=on.root, reason="x", now=on.now)


@deed("calendars.policy_change.start", "policy.begun")
def _start(on: Stage) -> Call:
    return lambda: _begun(on)


@deed("calendars.policy_change.stop", "policy.stopped")
def _stop(on: Stage) -> Call:
    change = _begun(on)
    return lambda: policy_change.stop(change=change, by=on.root, reason="x", now=on.now)


@deed("calendars.policy_change.resume", "policy.resumed")
def _resume(on: Stage) -> Call:
    change = policy_change.stop(change=_begun(on), now=on.now)
    return lambda: policy_change.resume(change=change, by=on.root, reason="x", now=on.now)


@deed("calendars.policy_change.undo", "policy.undone")
def _undo(on: Stage) -> Call:
    change = _begun(on)
    return lambda: policy_change.undo(change=change, by=on.root, reason="x", now=on.now)
