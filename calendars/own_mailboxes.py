"""Mailboxes that their owners link and disconnect themselves: what is offered, and what that means for calendars.

What lives here: the whole act, of which ``accounts.services.linking`` does what concerns consent. Not here: pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from accounts.consents import is_offered
from accounts.models import Health, LinkedAccount, ReachedThrough, User
from accounts.selectors import connection_of, uses_own_consent
from accounts.services import linking
from accounts.services.linking import Parting, Way
from calendars import gateway, services
from calendars.models import Calendar
from calendars.sync.clock import Clock
from calendars.sync.watch import stop_watches
from calsync.engine.events import Platform
from calsync.providers.base import AccessDenied, AuthenticationFailed, MailboxUnavailable, NotFound
from calsync.providers.consent import ConsentRefused, Pending

NAMES = {Platform.OUTLOOK: "Microsoft", Platform.GOOGLE: "Google"}


@dataclass(frozen=True, slots=True)
class Place:
    """One platform on a person's own page: the mailbox there, if any, and what may be done about it."""

    platform: Platform
    account: LinkedAccount | None
    may_link: bool
    may_disconnect: bool

    @property
    def name(self) -> str:
        """Whose account it is, in words."""
        return NAMES[self.platform]

    @property
    def is_broken(self) -> bool:
        """Whether it was linked and has to be linked again."""
        return self.may_disconnect and self.account is not None and self.account.state == Health.ACTION_REQUIRED


def places(person: User) -> list[Place]:
    """A person's platforms, with every mailbox that takes part or did."""
    accounts = LinkedAccount.objects.filter(person=person).select_related("connection").order_by("platform", "pk")
    found: list[Place] = []
    for platform in (Platform.OUTLOOK, Platform.GOOGLE):
        here = [account for account in accounts if account.platform == platform.value]
        using = [account for account in here if account.state != Health.DISABLED]
        found += [_place(platform, account, others=len(using)) for account in using or here[:1]]
        if not here:
            found.append(Place(platform, None, may_link=is_offered(platform), may_disconnect=False))
    return found


def _place(platform: Platform, account: LinkedAccount, *, others: int) -> Place:
    own = uses_own_consent(account)
    linked = own and account.state != Health.DISABLED
    if account.state == Health.DISABLED:
        wanting = account.state_reason in linking.LINKED_AGAIN
    elif own:
        wanting = account.state == Health.ACTION_REQUIRED
    else:  # mapped by IT staff, and no connection of the tenant has ever got in
        hopeless = account.state == Health.ACTION_REQUIRED or not gateway.is_configured(platform)
        wanting = hopeless and account.last_success_at is None and not _has_own_connection(account)
    return Place(platform, account, may_link=wanting and others <= 1 and is_offered(platform), may_disconnect=linked)


def begin_link(*, person: User, platform: Platform, redirect_uri: str, now: datetime) -> Way:
    """Prepare the way to the page of consent; raises ProviderError, also when the organisation reaches the mailbox."""
    if address := _reached(person, platform):
        raise ConsentRefused(f"Your organisation itself reaches {address}: there is nothing to link.", code="reached")
    return linking.begin(person=person, platform=platform, redirect_uri=redirect_uri, now=now)


def finish_link(
    *, person: User, platform: Platform, kept: Pending, answer: Mapping[str, str], now: datetime
) -> LinkedAccount:
    """Link the mailbox and begin or go on with its sync; raises ProviderError, and then nothing is stored."""
    account = linking.complete(person=person, platform=platform, kept=kept, answer=answer, now=now)
    services.ensure_primary_calendars([account])
    calendars = Calendar.objects.filter(account=account, is_primary=True)
    calendars.try_again()
    services.activate(calendars=calendars, from_now=False, now=now)
    return account


def disconnect(*, account: LinkedAccount, clock: Clock) -> Parting:
    """Stop reading and writing, end the consent and drop the tokens. Copies stay where they are, on both sides."""
    calendars = Calendar.objects.filter(account=account)
    services.deactivate(calendars=calendars, now=clock(), reason=linking.DISCONNECTED)
    for calendar in calendars.select_related("account").order_by("pk"):
        stop_watches(calendar, clock=clock)
    return linking.disconnect(account=account, now=clock())


def linked_account(person: User, platform: Platform) -> LinkedAccount | None:
    """The mailbox that a person has linked themselves."""
    accounts = LinkedAccount.objects.in_use().filter(
        person=person, platform=platform.value, reached_through=ReachedThrough.CONSENT
    )
    return accounts.order_by("pk").first()


def _reached(person: User, platform: Platform) -> str:
    """The mailbox, if a tenant connection gets into it ('' if none does): only the provider knows, and is asked."""
    account = LinkedAccount.objects.in_use().filter(person=person, platform=platform.value).order_by("pk").first()
    if account is None:
        address = linking.expected_address(person, platform)
        account = LinkedAccount(person=person, platform=platform.value, address=address)
    if account.reached_through == ReachedThrough.CONSENT:
        return "" if uses_own_consent(account) else account.address
    try:
        gateway.adapter_of(connection_of(account), platform).calendars(account.address)
    except (AccessDenied, AuthenticationFailed, MailboxUnavailable, NotFound):
        return ""
    return account.address


def _has_own_connection(account: LinkedAccount) -> bool:
    connection = connection_of(account)
    return connection is not None and not connection.from_environment
