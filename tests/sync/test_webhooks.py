"""The providers' bells: who may ring, what an answer looks like, and how bursts fold into one turn."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from calendars.models import Calendar, HookCount, Watch
from tests.factories import AccountFactory

FORM = "application/x-www-form-urlencoded"
SECRET = "a secret between us and the provider"


@pytest.fixture
def watch(db) -> Watch:
    calendar = Calendar.objects.create(account=AccountFactory(), is_active=True)
    now = timezone.now()
    return Watch.objects.create(
        calendar=calendar,
        subscription_id="channel-1",
        secret=SECRET,
        state="live",
        state_since=now,
        expires_at=now + timedelta(days=1),
    )


def graph_call(client, *, secret=SECRET, subscription="channel-1", items=1, **extra):
    item = {"subscriptionId": subscription, "clientState": secret, "changeType": "updated", "resource": "x", **extra}
    return client.post("/hooks/graph", json.dumps({"value": [item] * items}), content_type="application/json")


def raw_call(client, body, *, kind="application/json", **headers):
    return client.generic("POST", "/hooks/graph", body, content_type=kind, headers=headers)


def genuine(**more) -> str:
    """The body of a call that rings."""
    return json.dumps({"value": [{"subscriptionId": "channel-1", "clientState": SECRET, **more}]})


def google_call(client, *, token=SECRET, channel="channel-1", state="exists"):
    headers = {"X-Goog-Channel-ID": channel, "X-Goog-Channel-Token": token, "X-Goog-Resource-State": state}
    return client.post("/hooks/google", headers=headers)


def counted() -> dict:
    return {(row.provider, row.outcome): row.count for row in HookCount.objects.all()}


def test_the_validation_token_is_echoed_as_plain_text(client, db):
    answer = client.post(
        "/hooks/graph?validationToken=Validation%3A%20Testing%20reachability", content_type="text/plain"
    )
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert answer.content == b"Validation: Testing reachability"


def test_a_validation_token_cannot_smuggle_markup(client, db):
    answer = client.post("/hooks/graph?validationToken=%3Cscript%3E", content_type="text/plain")
    assert b"<" not in answer.content


@pytest.mark.django_db(transaction=True)
def test_a_genuine_graph_call_rings_the_bell(client, watch):
    assert graph_call(client).status_code == 202
    watch.calendar.refresh_from_db()
    assert watch.calendar.wanted == 1
    assert watch.calendar.dirty_at is not None
    assert OrmQ.objects.count() == 1
    assert counted() == {("graph", "accepted"): 1}


@pytest.mark.django_db(transaction=True)
def test_a_genuine_google_call_rings_the_bell(client, watch):
    assert google_call(client).status_code == 204
    watch.calendar.refresh_from_db()
    assert watch.calendar.wanted == 1
    assert OrmQ.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_burst_queues_one_turn(client, watch):
    for _ in range(20):
        google_call(client)
    graph_call(client, items=30)
    watch.calendar.refresh_from_db()
    assert watch.calendar.wanted == 21
    assert OrmQ.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_first_google_message_is_no_news(client, watch):
    google_call(client, state="sync")
    watch.calendar.refresh_from_db()
    assert watch.calendar.wanted == 0
    assert counted() == {("google", "accepted"): 1}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        (lambda client: graph_call(client, secret="guessed"), ("graph", "forged")),
        (lambda client: graph_call(client, secret=""), ("graph", "forged")),
        (lambda client: graph_call(client, subscription="other"), ("graph", "unknown")),
        (lambda client: google_call(client, token="guessed"), ("google", "forged")),
        (lambda client: google_call(client, channel="other"), ("google", "unknown")),
        (lambda client: google_call(client, channel="x" * 5000), ("google", "unknown")),
        (lambda client: graph_call(client, subscription="\ud800"), ("graph", "unknown")),
        (lambda client: graph_call(client, subscription="a\x00b"), ("graph", "unknown")),
        (lambda client: graph_call(client, secret="\ud800"), ("graph", "forged")),
        (
            lambda client: client.post("/hooks/graph", "[" * 200_000, content_type="application/json"),
            ("graph", "malformed"),
        ),
        (lambda client: client.post("/hooks/graph", "{", content_type="application/json"), ("graph", "malformed")),
        (lambda client: client.post("/hooks/graph", "[1]", content_type="application/json"), ("graph", "malformed")),
        (
            lambda client: client.post("/hooks/graph", '{"value": 3}', content_type="application/json"),
            ("graph", "malformed"),
        ),
        (
            lambda client: client.post("/hooks/graph", b"\xff\xfe", content_type="application/json"),
            ("graph", "malformed"),
        ),
    ],
)
def test_a_forged_or_broken_call_is_answered_without_work_and_counted(client, watch, call, outcome):
    assert call(client).status_code in {202, 204}
    watch.calendar.refresh_from_db()
    assert watch.calendar.wanted == 0
    assert OrmQ.objects.count() == 0
    assert counted() == {outcome: 1}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        (lambda client: graph_call(client, secret=SECRET.upper()), ("graph", "forged")),
        (lambda client: graph_call(client, secret=SECRET + " "), ("graph", "forged")),
        (lambda client: graph_call(client, secret=None), ("graph", "forged")),
        (lambda client: graph_call(client, secret=[SECRET]), ("graph", "forged")),
        (lambda client: graph_call(client, subscription=["channel-1"]), ("graph", "unknown")),
        (lambda client: graph_call(client, subscription=None), ("graph", "unknown")),
        (lambda client: google_call(client, token=""), ("google", "forged")),
        (lambda client: google_call(client, token=f"{SECRET}, {SECRET}"), ("google", "forged")),
        (lambda client: google_call(client, channel=""), ("google", "unknown")),
        (lambda client: client.post("/hooks/google"), ("google", "unknown")),
        (lambda client: client.post("/hooks/graph"), ("graph", "malformed")),
        (lambda client: raw_call(client, genuine(padding="x" * 300_000)), ("graph", "malformed")),
        (lambda client: raw_call(client, genuine(), **{"Content-Length": "-1"}), ("graph", "malformed")),
        (lambda client: raw_call(client, genuine(), **{"Content-Length": "much"}), ("graph", "malformed")),
        (lambda client: raw_call(client, f"value={genuine()}", kind=FORM), ("graph", "malformed")),
        (lambda client: client.post("/hooks/graph", {"value": genuine()}), ("graph", "malformed")),
        (lambda client: raw_call(client, genuine(), kind="multipart/form-data"), ("graph", "malformed")),
        (lambda client: raw_call(client, genuine(), kind="text/plain"), ("graph", "malformed")),
        (lambda client: raw_call(client, genuine(), kind=FORM), ("graph", "malformed")),
        (lambda client: raw_call(client, genuine(), kind=""), ("graph", "malformed")),
    ],
)
def test_what_no_provider_sends_rings_nothing(client, watch, call, outcome):
    assert call(client).status_code in {202, 204}
    watch.calendar.refresh_from_db()
    assert (watch.calendar.wanted, OrmQ.objects.count()) == (0, 0)
    assert counted() == {outcome: 1}


def test_a_body_larger_than_any_of_a_provider_is_not_even_read(client, watch):
    answer = raw_call(client, genuine(padding="x" * 3_000_000))
    assert answer.status_code == 202
    assert counted() == {("graph", "malformed"): 1}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "call", [lambda client: graph_call(client, secret=""), lambda client: google_call(client, token="")]
)
def test_a_channel_without_a_secret_listens_to_nobody(client, watch, call):
    watch.secret = ""
    watch.save()
    call(client)
    watch.calendar.refresh_from_db()
    assert watch.calendar.wanted == 0


@pytest.mark.django_db(transaction=True)
def test_a_forged_item_beside_a_genuine_one_rings_only_the_genuine_one_s_calendar(client, watch):
    other = Calendar.objects.create(account=AccountFactory(), is_active=True)
    Watch.objects.create(
        calendar=other, subscription_id="channel-2", secret="another", state="live", state_since=timezone.now()
    )
    items = [{"subscriptionId": channel, "clientState": SECRET} for channel in ("channel-1", "channel-2")]
    raw_call(client, json.dumps({"value": items}))
    assert [Calendar.objects.get(pk=pk).wanted for pk in (watch.calendar_id, other.pk)] == [1, 0]
    assert counted() == {("graph", "accepted"): 1, ("graph", "forged"): 1}


@pytest.mark.django_db(transaction=True)
def test_a_call_that_is_played_again_asks_for_a_read_and_for_nothing_else(client, watch):
    """A notification carries no content, so an old one is worth no more than a look; many fold into one."""
    for _ in range(3):
        raw_call(client, genuine(changeType="deleted", resourceData={"id": "x"}))
    assert OrmQ.objects.count() == 1
    Watch.objects.update(state="stopped")
    raw_call(client, genuine())
    assert counted() == {("graph", "accepted"): 3, ("graph", "unknown"): 1}


def test_a_stopped_channel_is_unknown(client, watch):
    Watch.objects.update(state="stopped")
    google_call(client)
    assert counted() == {("google", "unknown"): 1}


def test_a_removed_subscription_is_renewed_at_once(client, watch):
    before = timezone.now()
    graph_call(client, lifecycleEvent="subscriptionRemoved")
    watch.refresh_from_db()
    assert before <= watch.renew_at <= timezone.now()


@pytest.mark.parametrize("path", ["/hooks/graph", "/hooks/google"])
def test_only_posts_are_taken(client, db, path):
    assert client.get(path).status_code == 405


def test_the_number_of_queries_does_not_grow_with_the_burst(client, watch, django_assert_max_num_queries):
    graph_call(client)
    with django_assert_max_num_queries(12):
        graph_call(client, items=100)
