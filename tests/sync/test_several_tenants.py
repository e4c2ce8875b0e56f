"""Several tenants and domains at once: each mailbox is reached through the connection that it belongs to."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from accounts.models import LinkedAccount, TenantConnection, User
from calendars import gateway, services
from calendars.models import Calendar
from calsync.providers.base import AuthenticationFailed, MailboxUnavailable
from tests.certificates import pem
from tests.sync.endings import states, titles

pytestmark = pytest.mark.one_database
CEM = "cem@larkfield.example"
SECRET = "the secret of Larkfield"


class Elsewhere:
    """Cem, whose tenant and domain are Larkfield's own, with both of its connections."""

    def __init__(self, world):
        simulator = world.simulator
        self.app = simulator.graph.login.add_tenant("larkfield.example", client_id="larkfield-app", secret=SECRET)
        self.account = simulator.google.tokens.add_account("larkfield.example")
        self.microsoft = connection("outlook", self.app.tenant_id, self.app.client_id, {"client_secret": SECRET})
        key = self.account.info(simulator.url)
        self.google = connection("google", "larkfield.example", self.account.email, {"service_account": key})
        simulator.graph.add_mailbox(CEM, "Cem", "Europe/Istanbul")
        simulator.google.add_mailbox(CEM, "Cem", "Europe/Istanbul")
        self.cem = User.objects.create_user(email=CEM, name="Cem", time_zone="Europe/Istanbul")
        accounts = [
            LinkedAccount.objects.create(person=self.cem, platform=platform, address=CEM)
            for platform in ("outlook", "google")
        ]
        services.ensure_primary_calendars(accounts)


def connection(platform, tenant, client, credentials):
    return TenantConnection.objects.create(
        platform=platform, name=f"{platform} {tenant}", tenant=tenant, client=client,
        credentials=json.dumps(credentials), domains=["larkfield.example"],
    )  # fmt: skip


@pytest.fixture
def larkfield(world):
    return Elsewhere(world)


def account(person, platform):
    return LinkedAccount.objects.get(person=person, platform=platform)


def test_people_of_two_tenants_and_two_domains_are_synced_at_once(world, larkfield):
    ada = world.person("ada")
    ada.in_outlook(subject="Ours")
    cem = type(ada)(larkfield.cem, CEM, world)
    cem.in_google(summary="Theirs")
    assert world.activate().idle
    assert {state for _, state, _ in states()} == {"healthy"}
    assert (titles(ada), titles(cem)) == ((["Ours"], ["Ours"]), (["Theirs"], ["Theirs"]))
    assert world.mails == []


@pytest.mark.parametrize("platform", ["outlook", "google"])
def test_the_default_connection_does_not_reach_the_other_tenant(world, larkfield, platform):
    TenantConnection.objects.all().delete()
    with pytest.raises((MailboxUnavailable, AuthenticationFailed)):
        gateway.provider_for(account(larkfield.cem, platform)).calendars(CEM)


def test_a_connection_that_was_chosen_goes_before_the_mail_domain(world, larkfield):
    world.simulator.graph.login.add_tenant("annex.example", client_id="annex-app", secret="another")
    world.simulator.graph.add_mailbox("cem@annex.example", "Cem", "UTC")
    annex = world.simulator.graph.login.apps["annex-app"]
    chosen = connection("outlook", annex.tenant_id, "annex-app", {"client_secret": "another"})
    other = LinkedAccount(person=larkfield.cem, platform="outlook", address=CEM, connection=chosen)
    with pytest.raises(MailboxUnavailable):
        gateway.provider_for(other).calendars(CEM)
    assert gateway.provider_for(other).calendars("cem@annex.example")


@pytest.mark.parametrize("platform", ["outlook", "google"])
def test_a_connection_has_one_adapter_until_its_credentials_change(world, larkfield, platform):
    first = gateway.provider_for(account(larkfield.cem, platform))
    assert gateway.provider_for(account(larkfield.cem, platform)) is first
    row = larkfield.microsoft if platform == "outlook" else larkfield.google
    row.credentials = row.credentials.replace("}", " }")
    row.save()
    assert gateway.provider_for(account(larkfield.cem, platform)) is not first


def test_a_secret_replaced_while_the_sync_runs_costs_nobody_anything(world, larkfield):
    world.activate()
    larkfield.app.secret = "the next secret"
    larkfield.microsoft.credentials = json.dumps({"client_secret": "the next secret"})
    larkfield.microsoft.save()
    world.simulator.graph.login.revoke_all()
    world.simulator.google.create_event(CEM, GOOGLE_EVENT)
    Calendar.objects.all().ring(now=timezone.now())
    assert world.settle().idle
    assert {state for _, state, _ in states()} == {"healthy"}
    assert [event["subject"] for event in world.simulator.graph.events(CEM)] == ["Later"]


GOOGLE_EVENT = {
    "summary": "Later",
    "start": {"dateTime": "2026-12-01T09:00:00", "timeZone": "Europe/Istanbul"},
    "end": {"dateTime": "2026-12-01T10:00:00", "timeZone": "Europe/Istanbul"},
}


def test_a_connection_without_credentials_is_told_as_such(world, larkfield):
    TenantConnection.objects.filter(pk=larkfield.microsoft.pk).update(credentials="")
    with pytest.raises(AuthenticationFailed, match="misconfigured"):
        gateway.provider_for(account(larkfield.cem, "outlook"))


def test_a_certificate_opens_its_own_tenant_only(world, larkfield):
    registered, another = pem(), pem()
    larkfield.app.certificate = registered
    larkfield.microsoft.credentials = json.dumps({"client_certificate": registered})
    larkfield.microsoft.save()
    assert gateway.provider_for(account(larkfield.cem, "outlook")).calendars(CEM)
    larkfield.microsoft.credentials = json.dumps({"client_certificate": another})
    larkfield.microsoft.save()
    with pytest.raises(AuthenticationFailed, match="AADSTS700027"):
        gateway.provider_for(account(larkfield.cem, "outlook")).calendars(CEM)


def test_a_domain_without_delegation_concerns_its_own_people_only(world, larkfield):
    ada = world.person("ada", outlook=False)
    larkfield.account.delegated.clear()
    with pytest.raises(AuthenticationFailed, match="domain-wide delegation"):
        gateway.provider_for(account(larkfield.cem, "google")).calendars(CEM)
    assert gateway.provider_for(account(ada.user, "google")).calendars(ada.address)
