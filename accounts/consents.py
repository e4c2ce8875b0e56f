"""People's own consents at work: which provider's desk serves them, and the tokens of one mailbox, renewed in time.

What lives here: reading and renewing the sealed tokens. What does not: linking, disconnecting (``services.linking``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.credentials import microsoft_of_environment
from accounts.models import Consent, LinkedAccount
from accounts.models.health import STATE_FIELDS
from accounts.trail import record
from calsync.engine.events import Platform
from calsync.providers.base import AuthenticationFailed, ProviderError, Transient
from calsync.providers.consent import ConsentDesk, ConsentEnded, Tokens
from calsync.providers.google.consent import GoogleClient, google_consent
from calsync.providers.graph import GraphEndpoints
from calsync.providers.graph.consent import graph_consent

EARLY = timedelta(minutes=5)
"""Tokens are renewed so long before they expire."""
CLAIM = timedelta(minutes=2)
"""Longer than asking for new tokens may take: whoever asks holds the row so long."""
PATIENCE = 10.0
LOOK_AGAIN = 0.1
"""Seconds: how long, and in which steps, the others wait for whoever asks."""
TOKEN_FIELDS = [
    "access_token", "refresh_token", "scopes", "expires_at", "obtained_at", "rotated_at", "generation",
    "renewing_until", "last_success_at", *STATE_FIELDS,
]  # fmt: skip


def is_offered(platform: Platform) -> bool:
    """Whether the settings name what people need to link a mailbox of their own."""
    if platform == Platform.GOOGLE:
        return bool(settings.GOOGLE_OAUTH_CLIENT_ID and settings.GOOGLE_OAUTH_CLIENT_SECRET)
    proof = settings.MICROSOFT_CLIENT_SECRET or settings.MICROSOFT_CLIENT_CERTIFICATE
    return bool(settings.MICROSOFT_TENANT_ID and settings.MICROSOFT_CLIENT_ID and proof)


def desk_of(platform: Platform) -> ConsentDesk:
    """The provider's desk for consents; raises AuthenticationFailed when the settings do not suffice."""
    if not is_offered(platform):
        raise AuthenticationFailed("Linking one's own mailbox is not configured here.", code="not_configured")
    try:
        return _desk(platform)
    except (OSError, ValueError) as error:
        raise AuthenticationFailed(f"Linking is misconfigured: {error}", code="configuration") from error


def _desk(platform: Platform) -> ConsentDesk:
    if platform == Platform.GOOGLE:
        ours = (settings.GOOGLE_OAUTH_CLIENT_ID, settings.GOOGLE_OAUTH_CLIENT_SECRET, settings.GOOGLE_LOGIN_URL)
        return google_consent(GoogleClient(*ours))
    urls = GraphEndpoints(login_url=settings.MICROSOFT_LOGIN_URL, graph_url=settings.MICROSOFT_GRAPH_URL)
    return graph_consent(microsoft_of_environment(), urls)


class KeptTokens:
    """The tokens of one mailbox, out of the database; see ``calsync.providers.consent.TokenKeeper``.

    Nothing is kept in memory: a disconnected mailbox is out of reach at once, in every process. While one worker asks
    for new tokens the others wait, without any lock or open transaction, and take what it stored.
    """

    def __init__(
        self, account: LinkedAccount, *, clock: Callable[[], datetime], sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._account_id = account.pk
        self._platform = Platform(account.platform)
        self._clock = clock
        self._sleep = sleep

    def token(self, *, stale: str = "") -> tuple[str, int]:
        """An access token that is good for some minutes, and how many requests it took."""
        patience = PATIENCE
        while patience > 0:
            consent, now = self._consent(), self._clock()
            if consent.access_token != stale and consent.expires_at > now + EARLY:
                return consent.access_token, 0
            if _claimed(consent, now=now):
                return self._renewed(consent), 1
            self._sleep(LOOK_AGAIN)
            patience -= LOOK_AGAIN
        raise Transient("Another worker is asking for new tokens of this mailbox.")

    def _consent(self) -> Consent:
        consent = Consent.objects.select_related("account").filter(account_id=self._account_id).first()
        if consent is None:
            raise ConsentEnded("The mailbox was disconnected by its owner.", code="disconnected")
        if not consent.refresh_token:
            raise ConsentEnded(consent.state_reason, code="ended")
        return consent

    def _renewed(self, consent: Consent) -> str:
        try:
            tokens = desk_of(self._platform).renew(consent.refresh_token)
        except ConsentEnded as error:
            if not note_end(consent, error, now=self._clock()):
                raise Transient("The mailbox was linked anew meanwhile.") from error
            raise
        except ProviderError:
            Consent.objects.filter(pk=consent.pk, generation=consent.generation).update(renewing_until=None)
            raise
        return _stored(consent, tokens, now=self._clock())


def _claimed(consent: Consent, *, now: datetime) -> bool:
    """Whether we are the one to ask for new tokens; not if somebody else does, or has done since we looked."""
    free = Q(renewing_until__isnull=True) | Q(renewing_until__lte=now)
    rows = Consent.objects.filter(free, pk=consent.pk, generation=consent.generation)
    return bool(rows.update(renewing_until=now + CLAIM))


def _stored(consent: Consent, tokens: Tokens, *, now: datetime) -> str:
    """Keep new tokens; a refresh token that has rotated replaces the one before, which may be worth nothing by now."""
    seen = consent.generation
    if tokens.refresh not in ("", consent.refresh_token):
        consent.rotated_at = now
    consent.holds(tokens, now=now)
    values = {name: getattr(consent, name) for name in TOKEN_FIELDS}
    if not Consent.objects.filter(pk=consent.pk, generation=seen).update(**values):
        raise Transient("The mailbox was linked anew or disconnected meanwhile.")
    return consent.access_token


@transaction.atomic
def note_end(consent: Consent, error: ConsentEnded, *, now: datetime) -> bool:
    """Note on consent and mailbox that the provider takes the tokens no more; False when others came meanwhile."""
    seen = consent.generation
    consent.ends(str(error), now=now, remedy=error.remedy)
    values = {name: getattr(consent, name) for name in TOKEN_FIELDS}
    if not Consent.objects.filter(pk=consent.pk, generation=seen).update(**values):
        return False
    account = LinkedAccount.objects.select_for_update().get(pk=consent.account_id)
    account.fails(str(error), now=now, remedy=error.remedy)
    account.save(update_fields=STATE_FIELDS)
    record("mailbox.consent_ended", target=account, name=str(consent), now=now)
    return True
