"""Subscriptions, against scripted answers."""

from __future__ import annotations

import itertools

import pytest

from calsync.providers import base
from calsync.providers.graph import GraphCredentials, GraphEndpoints, GraphProvider
from tests.providers.graph_script import Scripted, ScriptedGraph
from tests.providers.graph_shapes import ADA

CLIENTS = itertools.count()
CREATED = {"id": "sub-1", "expirationDateTime": "2026-01-07T00:00:00.9356913Z"}


@pytest.fixture
def graph():
    with ScriptedGraph() as script:
        yield script


@pytest.fixture
def provider(graph):
    credentials = GraphCredentials("contoso", f"watch-{next(CLIENTS)}", client_secret="hush")
    return GraphProvider(credentials, GraphEndpoints(graph.url, graph.url))


def subscribe(provider):
    return provider.subscribe(ADA, url="https://x/n", lifecycle_url="https://x/l", secret="s3cret", channel_id="7")


def test_a_subscription_watches_the_mailbox_and_keeps_the_returned_expiry(graph, provider):
    graph.on("POST /subscriptions", Scripted(201, CREATED))
    found = subscribe(provider)
    sent = graph.seen[0].body

    assert (found.subscription_id, found.expires_at.isoformat()[:19]) == ("sub-1", "2026-01-07T00:00:00")
    assert sent["resource"] == "users/ada@contoso.com/events"
    assert (sent["changeType"], sent["clientState"]) == ("created,updated,deleted", "s3cret")
    assert "ImmutableId" in graph.seen[0].headers["Prefer"]


def test_our_own_leftover_is_dropped_when_it_stands_in_the_way(graph, provider):
    graph.on("POST /subscriptions", 409, Scripted(201, CREATED))
    old = {"id": "old", "resource": "Users/ADA@contoso.com/Events", "notificationUrl": "https://x/n"}
    other = {"id": "other", "resource": "users/bo@contoso.com/events", "notificationUrl": "https://x/n"}
    graph.on("GET /subscriptions", {"value": [old, other]})
    graph.on("DELETE /subscriptions", 204)

    assert subscribe(provider).subscription_id == "sub-1"
    assert [seen.path for seen in graph.calls("DELETE")] == ["/subscriptions/old"]


def test_an_unreachable_notification_address_is_tried_again_later(graph, provider):
    graph.on("POST /subscriptions", Scripted(400, {"error": {"code": "ValidationError"}}))

    with pytest.raises(base.Transient):
        subscribe(provider)


def test_renewing_and_dropping_what_is_gone(graph, provider):
    graph.on("POST /subscriptions", Scripted(201, CREATED))
    held = subscribe(provider)

    assert provider.renew(ADA, held) is None
    assert provider.unsubscribe(ADA, held) is None
    graph.on("PATCH /subscriptions/sub-1", {**CREATED, "expirationDateTime": "2026-01-14T00:00:00Z"})
    assert provider.renew(ADA, held).expires_at.day == 14
