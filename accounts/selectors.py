"""Questions about people, mailboxes and connections, each with a name."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count, Q

from accounts.directory.matching import KnownMailbox
from accounts.models import LinkedAccount, ReachedThrough, TenantConnection, User
from calsync.engine.events import Platform

_FEW = 500  # above this, one query over everybody is cheaper (and safe from the database's limit on parameters)


def managers_by_email() -> dict[str, str]:
    """E-mail of the manager of every known person, '' for none."""
    pairs = User.objects.order_by().values_list("email", "manager__email")
    return {email: manager or "" for email, manager in pairs.iterator(chunk_size=5_000)}


def mailbox_owners() -> dict[tuple[Platform, str], str]:
    """E-mail of the person of every linked account, disabled ones included."""
    rows = LinkedAccount.objects.order_by().values_list("platform", "address", "person__email")
    return {(Platform(platform), address): email for platform, address, email in rows.iterator(chunk_size=5_000)}


def people_by_email(emails: Collection[str]) -> dict[str, User]:
    """The known ones of these (lower-case) e-mails, in one query."""
    people = User.objects.order_by()
    if len(emails) <= _FEW:
        people = people.filter(email__in=emails)
    return {person.email: person for person in people if person.email in emails}


def accounts_of(person_ids: Collection[int]) -> list[LinkedAccount]:
    """The linked accounts of these people, disabled ones included, in one query."""
    accounts = LinkedAccount.objects.order_by("pk")
    if len(person_ids) <= _FEW:
        accounts = accounts.filter(person_id__in=person_ids)
    return [account for account in accounts if account.person_id in person_ids]


def environment_connections() -> dict[Platform, TenantConnection]:
    """The connections that the environment configures, by platform."""
    return {Platform(row.platform): row for row in TenantConnection.objects.filter(from_environment=True)}


def connection_of(account: LinkedAccount) -> TenantConnection | None:
    """The connection that reaches a mailbox: the one that was chosen, else the one for its mail domain, else the
    environment's; None when the environment has no row.
    """
    chosen = account.connection
    if chosen is not None and not chosen.from_environment:
        return chosen
    domain = account.address.rpartition("@")[2]
    own = TenantConnection.objects.filter(platform=account.platform, from_environment=False).order_by("pk")
    return next((row for row in own if domain in row.domains), chosen)


def uses_own_consent(account: LinkedAccount) -> bool:
    """Whether its owner's consent opens a mailbox: it was linked so, and no connection of its domain reaches it."""
    if account.reached_through != ReachedThrough.CONSENT:
        return False
    connection = connection_of(account)
    return connection is None or connection.from_environment


def person_of_address(address: str) -> User | None:
    """The person with this e-mail or mapped mailbox; None unless it is exactly one. A mailbox counts that IT mapped."""
    mapped = LinkedAccount.objects.in_use().mapped().filter(address=address)
    found = User.objects.filter(Q(email=address) | Q(pk__in=mapped.values("person_id"))).order_by("pk")[:2]
    return found[0] if len(found) == 1 else None


def emails_by_person() -> dict[int, str]:
    """The log-in address of everybody."""
    return dict(User.objects.order_by().values_list("pk", "email"))


def known_mailboxes(platform: Platform) -> list[KnownMailbox]:
    """Every linked account, as the import of a directory of ``platform`` sees it."""
    vouched = set(LinkedAccount.objects.in_use().mapped().order_by().values_list("pk", flat=True))
    rows = LinkedAccount.objects.order_by("pk").values_list(
        "pk", "person_id", "address", "aliases", "directory_id", "platform"
    )
    return [
        KnownMailbox(
            account_id=pk,
            person_id=person,
            address=address,
            aliases=tuple(aliases),
            directory_id=directory_id,
            here=where == platform.value,
            in_use=pk in vouched,
        )
        for pk, person, address, aliases, directory_id, where in rows.iterator(chunk_size=5_000)
    ]


def people_by_unit_path() -> dict[str, int]:
    """How many active people are directly in each unit that has any, by its path."""
    placed = User.objects.active().exclude(org_unit=None).order_by()
    return dict(placed.values_list("org_unit__path").annotate(Count("pk")))
