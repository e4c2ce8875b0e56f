"""Builders of rows for tests: units, people, connections and mailboxes that pass every constraint."""

from __future__ import annotations

from datetime import UTC, datetime

import factory
from factory.django import DjangoModelFactory

from accounts.models import LinkedAccount, OrgUnit, TenantConnection, User

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class OrgUnitFactory(DjangoModelFactory):
    """A root unit, or one below ``parent``."""

    class Meta:
        model = OrgUnit
        django_get_or_create = ("path",)

    parent = None
    name = factory.Sequence(lambda n: f"Unit {n}")
    path = factory.LazyAttribute(lambda unit: f"{unit.parent.path if unit.parent else ''}/{unit.name}")


class UserFactory(DjangoModelFactory):
    """A person without a password."""

    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"person{n}@example.org")
    name = factory.LazyAttribute(lambda person: person.email.partition("@")[0].title())
    org_unit = factory.SubFactory(OrgUnitFactory, name="Sales")
    time_zone = "Europe/Berlin"
    password = "!"


class ConnectionFactory(DjangoModelFactory):
    """A Google Workspace domain."""

    class Meta:
        model = TenantConnection

    platform = "google"
    name = factory.LazyAttribute(lambda row: f"{row.platform} {row.tenant}")
    tenant = factory.Sequence(lambda n: f"tenant{n}.example.org")


class AccountFactory(DjangoModelFactory):
    """A person's Google mailbox."""

    class Meta:
        model = LinkedAccount

    person = factory.SubFactory(UserFactory)
    platform = "google"
    address = factory.LazyAttribute(lambda account: f"{account.person.email.partition('@')[0]}@{account.platform}.test")
    state_since = NOW
