"""Linking a mailbox by its owner's consent, and disconnecting it: what is asked, what is refused, what is kept.

What lives here: consents and linked accounts. What does not: calendars (``calendars.own_mailboxes``), pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from accounts.consents import desk_of
from accounts.models import Consent, Health, LinkedAccount, ReachedThrough, User
from accounts.sealing import SealBroken
from accounts.services.leaving import OWNER_LEFT
from accounts.trail import record
from calsync.engine.events import Platform
from calsync.providers.base import ProviderError
from calsync.providers.consent import ConsentRefused, Granted, Pending

MOST_WAIT = timedelta(minutes=15)
"""So long may the page of consent stay open."""
DISCONNECTED = "Its owner has disconnected it."
LINKED_AGAIN = frozenset({DISCONNECTED, OWNER_LEFT})
"""Reasons that end when the owner links the mailbox again."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where the browser goes, and what the session must keep until it is back."""

    url: str
    kept: Pending = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parting:
    """How a consent ended at the provider: ended there, no way to, or not reached."""

    revoked: bool
    reached: bool = True


def begin(*, person: User, platform: Platform, redirect_uri: str, now: datetime) -> Way:
    """Prepare the way to the provider's page of consent; raises ProviderError. Asks the network."""
    begun = desk_of(platform).begin(redirect_uri=redirect_uri, hint=expected_address(person, platform))
    until = (now + MOST_WAIT).isoformat()
    return Way(begun.url, {"person": person.pk, "platform": platform.value, "until": until, "pending": begun.pending})


def complete(
    *, person: User, platform: Platform, kept: Pending, answer: Mapping[str, str], now: datetime
) -> LinkedAccount:
    """Take the consent and link the mailbox; raises ProviderError, and then nothing is stored. Asks the network.

    ``kept`` is what this browser's session held; it serves once, which is the caller's to see to.
    """
    if not kept or kept.get("person") != person.pk or kept.get("platform") != platform.value:
        raise ConsentRefused("That answer was not asked for in this browser, so nothing was linked.", code="state")
    if datetime.fromisoformat(str(kept["until"])) < now:
        raise ConsentRefused("The page of consent was open for too long, so nothing was linked.", code="too_late")
    granted = desk_of(platform).finish(kept["pending"], answer, now=now)
    return _linked(person, platform, granted, now=now)


def disconnect(*, account: LinkedAccount, now: datetime) -> Parting:
    """End a consent at the provider, drop its tokens and take the mailbox out of the sync. Asks the network."""
    parting = _revoked(account)
    with transaction.atomic():
        Consent.objects.filter(account=account).delete()
        account = LinkedAccount.objects.select_for_update().get(pk=account.pk)
        account.close_consent(DISCONNECTED, now=now)
        account.save()
        told = "revoked" if parting.revoked else "left there"
        record("mailbox.disconnected", target=account, reason=DISCONNECTED, now=now, at_the_provider=told)
    return parting


def expected_address(person: User, platform: Platform) -> str:
    """The address that the person probably has on a platform."""
    accounts = LinkedAccount.objects.filter(person=person, platform=platform.value)
    known = accounts.order_by("-is_active", "pk").values_list("address", flat=True).first()
    return known or person.email


def _revoked(account: LinkedAccount) -> Parting:
    platform = Platform(account.platform)
    try:
        consent = Consent.objects.filter(account=account).first()
        if consent is None or not consent.refresh_token:
            return Parting(revoked=True)  # it has ended already
        return Parting(revoked=desk_of(platform).revoke(consent.refresh_token))
    except (ProviderError, SealBroken):
        return Parting(revoked=False, reached=False)


@transaction.atomic
def _linked(person: User, platform: Platform, granted: Granted, *, now: datetime) -> LinkedAccount:
    User.objects.select_for_update().get(pk=person.pk)  # two answers at once: one after the other
    account = _account_of(person, platform, granted.address, now=now)
    account.save()
    known = Consent.objects.defer("access_token", "refresh_token").filter(account=account)  # no key opens those to come
    consent = known.first() or Consent(account=account)
    consent.obtained_at, consent.rotated_at = now, None
    consent.holds(granted.tokens, now=now)
    consent.save()
    record("mailbox.linked", target=account, now=now, scopes=len(granted.tokens.scopes))
    return account


def _account_of(person: User, platform: Platform, address: str, *, now: datetime) -> LinkedAccount:
    """The row of this mailbox, ready to be reached by consent (in memory); raises ConsentRefused."""
    accounts = LinkedAccount.objects.filter(platform=platform.value)
    account = accounts.filter(address=address).first()
    _check_owner(person, account, address)
    others = accounts.in_use().filter(person=person).exclude(address=address).order_by("pk")
    if other := others.first():
        raise ConsentRefused(
            f"You have {other} already. Disconnect it first, or ask your IT team to; nothing was linked.",
            code="another",
        )
    if account is None:
        account = LinkedAccount(person=person, platform=platform.value, address=address, state_since=now)
        account.reached_through = ReachedThrough.CONSENT
    elif account.state == Health.DISABLED and account.state_reason not in LINKED_AGAIN:
        raise ConsentRefused(
            f"Your IT team has taken {account} out of the sync: {account.state_reason} Nothing was linked.",
            code="disabled",
        )
    account.open_by_consent(now=now)
    return account


def _check_owner(person: User, account: LinkedAccount | None, address: str) -> None:
    """Only a mailbox that is known to be the person's own: by their e-mail, or because IT staff mapped it."""
    taken = User.objects.filter(email=address).exclude(pk=person.pk).exists()
    taken = taken or (account is not None and account.person_id != person.pk)
    known = address == person.email or any(
        address in (own.address, *own.aliases) for own in person.linked_accounts.order_by("pk")
    )
    if taken or not known:
        raise ConsentRefused(
            f"{address} is not known to be yours, so nothing was linked. Choose your own account at the provider; if "
            "this is the right one, ask your IT team to map it to you.",
            code="not_yours",
        )
