"""How people get in: only those who are mapped, by an address that their organisation's own provider vouches for.

What lives here: the answers that allauth and axes ask an installation for. What does not: pages, settings.
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.httpkit import get_client_ip
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import User
from accounts.sealing import seal, unseal
from accounts.selectors import person_of_address

GUEST_MARK = "#ext#"


class Door(DefaultAccountAdapter):
    """Nobody makes an account for themselves: people are mapped by IT staff."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        """Never."""
        return False


class ProviderDoor(DefaultSocialAccountAdapter):
    """Binds an identity at a provider to the mapped person, and sends everybody else away politely."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def get_app(self, request: HttpRequest, provider: str, client_id: str | None = None) -> SocialApp:
        """The provider's settings; its pages are not there while it is not configured."""
        try:
            return super().get_app(request, provider, client_id)
        except SocialApp.DoesNotExist:
            raise Http404 from None

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Let the person in whom this identity belongs to; it is bound at its first use."""
        if sociallogin.state.get("process") not in (None, "login"):
            raise ImmediateHttpResponse(_stranger(request))
        if sociallogin.is_existing:
            person = sociallogin.user
        elif address := vouched_address(sociallogin):
            person = person_of_address(address)
        else:
            person = None
        if person is None or not person.is_active:
            raise ImmediateHttpResponse(_stranger(request))
        sociallogin.user = sociallogin.account.user = person
        sociallogin.account.extra_data = {}  # names and telephone numbers are of no use here
        sociallogin.account.save()


class SealedFactors(DefaultMFAAdapter):
    """Secrets of authenticator apps and recovery codes are sealed like every other secret."""

    def encrypt(self, text: str) -> str:
        """Seal."""
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Open; raises SealBroken."""
        return unseal(encrypted_text)


def vouched_address(sociallogin: SocialLogin) -> str:
    """The address that the provider has verified, lower-case; '' when there is none.

    Microsoft verifies no ``mail``. Within one's own tenant the sign-in name is the administrators' to give, so that is
    what counts, unless it is a guest's: then another organisation gave it.
    """
    if sociallogin.account.provider == "microsoft":
        name = str(sociallogin.account.extra_data.get("userPrincipalName") or "").lower()
        return "" if GUEST_MARK in name else name
    verified = [entry.email for entry in sociallogin.email_addresses if entry.verified is True]
    return verified[0].lower() if verified else ""


def client_ip(request: HttpRequest) -> str:
    """Where a request comes from, behind as many proxies as the settings say."""
    return get_client_ip(request) or "::"  # no connection is behind it, as in a script; PostgreSQL takes addresses only


def tried_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Whose password is being tried, in one spelling, whichever form it came from."""
    told = credentials or request.POST
    name = told.get("email") or told.get("username") or told.get("login") or ""
    return str(name).strip().lower()


def locked_out(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """The page after too many wrong passwords."""
    return render(request, "account/locked.html", status=429)


def _stranger(request: HttpRequest) -> HttpResponse:
    return render(request, "account/stranger.html", status=403)


def has_second_factor(person: User) -> bool:
    """Whether the person has an authenticator app or a passkey."""
    return bool(Authenticator.objects.filter(user=person).exclude(type=Authenticator.Type.RECOVERY_CODES).exists())
