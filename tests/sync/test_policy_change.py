"""A changed rule and the events that stand already: counted first, applied in batches, stopped, resumed, undone."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from calendars import policy_change
from calendars.models import Operation, PolicyChange
from calendars.sync.policy_effects import Effect
from tests.sync.laws import BUSY, HOLD, SKIP

REMOVED = {**SKIP, "leaving": "remove"}


@pytest.fixture
def ada(world):
    ada = world.person("ada")
    for number in range(4):
        ada.in_outlook(subject=f"Private {number}", start=f"2026-12-0{number + 1}T09:00:00",
                       end=f"2026-12-0{number + 1}T10:00:00")  # fmt: skip
    ada.in_google(summary="Public", start="2026-12-09T09:00:00", end="2026-12-09T10:00:00")
    world.activate()
    return ada


def titles(ada):
    return sorted(item["summary"] for item in ada.google)


def begin(reason="because"):
    now = timezone.now()
    return policy_change.start(found=policy_change.preview(now=now), by=None, reason=reason, now=now)


def test_a_preview_counts_by_unit_and_asks_no_provider(world, ada, laws):
    laws.everybody(BUSY, titled="Private")
    world.simulator.core.ledger.clear()
    found = policy_change.preview(now=timezone.now())
    assert (found.seen, len(found.events)) == (5, 4)
    assert found.counts == {Effect.MASKED: 4}
    assert found.by_unit["/Sales"] == {Effect.MASKED: 4}
    assert world.simulator.core.ledger.calls == []
    assert not Operation.objects.open().exists()


@pytest.mark.parametrize(
    ("then", "effect"),
    [
        (BUSY, Effect.MASKED),
        (REMOVED, Effect.REMOVED),
        (SKIP, Effect.LEFT),
        ({**SKIP, "leaving": "mask"}, Effect.MASKED),
        (HOLD, Effect.HELD),
        ({}, Effect.NOTED),
    ],
)
def test_a_preview_says_what_applying_it_leaves_no_trace_of(world, ada, laws, then, effect):
    laws.everybody(then, titled="Private")
    assert policy_change.preview(now=timezone.now()).counts == {effect: 4}
    begin()
    policy_change.carry_on(now=timezone.now())
    world.settle()
    assert policy_change.preview(now=timezone.now()).counts == {}
    assert PolicyChange.objects.get().state == "done"
    laws.none()
    back = {Effect.MASKED: Effect.UNMASKED, Effect.NOTED: Effect.NOTED}.get(effect, Effect.NEW)
    assert policy_change.preview(now=timezone.now()).counts == {back: 4}
    assert world.mails == []


def test_only_what_is_concerned_is_written(world, ada, laws):
    laws.everybody(BUSY, titled="Private 1")
    world.simulator.core.ledger.clear()
    begin()
    policy_change.carry_on(now=timezone.now())
    world.settle()
    assert titles(ada) == ["Busy", "Private 0", "Private 2", "Private 3", "Public"]
    assert world.provider_writes() == 1
    assert world.mails == []


def test_it_is_stopped_resumed_and_undone(world, ada, laws, monkeypatch):
    monkeypatch.setattr(policy_change, "BATCH", 2)
    monkeypatch.setattr(policy_change, "BATCHES_AT_ONCE", 1)
    laws.everybody(REMOVED, titled="Private")
    change = begin()
    assert policy_change.carry_on(now=timezone.now()) == 1
    policy_change.stop(change=change, now=timezone.now())
    assert policy_change.carry_on(now=timezone.now()) == 0
    world.settle()
    assert len(titles(ada)) == 3
    policy_change.resume(change=change, now=timezone.now())
    while policy_change.carry_on(now=timezone.now()):
        pass
    world.settle()
    assert titles(ada) == ["Public"]
    change.refresh_from_db()
    assert (change.state, change.done, change.total) == ("done", 4, 4)

    policy_change.undo(change=change, by=None, reason="too much", now=timezone.now())
    while policy_change.carry_on(now=timezone.now()):
        pass
    world.settle()
    assert titles(ada) == ["Private 0", "Private 1", "Private 2", "Private 3", "Public"]
    assert len(ada.outlook) == 5
    assert world.audit().match_rate == 100.0
    assert world.mails == []
    with pytest.raises(ValidationError):
        policy_change.undo(change=change, by=None, reason="twice", now=timezone.now())


def test_one_change_at_a_time_and_never_without_a_reason(world, ada, laws):
    laws.everybody(BUSY)
    with pytest.raises(ValidationError):
        begin(reason=" ")
    change = begin()
    with pytest.raises(ValidationError):
        begin()
    policy_change.stop(change=change, now=timezone.now())
    with pytest.raises(ValidationError):
        policy_change.stop(change=change, now=timezone.now())


def test_the_next_batch_waits_while_too_much_is_to_be_written(world, ada, laws, monkeypatch):
    monkeypatch.setattr(policy_change, "MOST_OPEN", 0)
    laws.everybody(BUSY)
    begin()
    assert policy_change.carry_on(now=timezone.now()) == 0


def test_the_page_shows_the_counts_and_steers(world, ada, laws, client):
    client.force_login(User.objects.create_superuser("root@meridian.example", "x"))
    laws.everybody(BUSY, titled="Private")
    page = client.get(reverse("admin:calendars_policychange_preview")).content.decode()
    assert "For 4 of them something changes" in page
    assert "Copies masked" in page
    assert "Private" not in page
    client.post(reverse("admin:calendars_policychange_preview"), {"reason": "privacy"})
    change = PolicyChange.objects.get()
    assert (change.total, change.reason) == (4, "privacy")
    assert b"Stop ..." in client.get(reverse("admin:calendars_policychange_change", args=[change.pk])).content
    client.post(reverse("admin:calendars_policychange_step", args=[change.pk, "stop"]), {"reason": "wait"})
    client.post(reverse("admin:calendars_policychange_step", args=[change.pk, "resume"]), {"reason": "go"})
    policy_change.carry_on(now=timezone.now())
    client.post(reverse("admin:calendars_policychange_step", args=[change.pk, "undo"]), {"reason": "no"})
    assert PolicyChange.objects.get(undoes=change).total == 4


def test_staff_without_the_right_may_not_steer(world, ada, laws, client):
    client.force_login(User.objects.create_user("cem@meridian.example", "x", is_staff=True))
    laws.everybody(BUSY)
    assert client.get(reverse("admin:calendars_policychange_preview")).status_code == 403
    assert client.post(reverse("admin:calendars_policychange_preview"), {"reason": "x"}).status_code == 403
    change = begin()
    step = reverse("admin:calendars_policychange_step", args=[change.pk, "stop"])
    assert client.post(step, {"reason": "x"}).status_code == 404  # out of reach: not even its number is told
    change.refresh_from_db()
    assert change.state == "running"
