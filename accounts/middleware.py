"""What every web request brings along: who is acting, for the audit trail."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from accounts.models.trail import Origin
from accounts.trail import Acting, acting


class ActingMiddleware:
    """Lets the audit trail know the person and the address behind a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with everything recorded meanwhile in this person's name."""
        with acting(Acting(Origin.WEB, address=address_of(request), person=lambda: _person(request))):
            return self._get_response(request)


def address_of(request: HttpRequest) -> str | None:
    """The browser's address: behind our own proxies the hop that the first of them names; what a client claims stands
    before that.
    """
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    trusted = settings.CALSYNC_PROXIES
    named = hops[-trusted].strip() if 0 < trusted <= len(hops) else ""
    return named or request.META.get("REMOTE_ADDR") or None


def _person(request: HttpRequest) -> User | None:
    user = getattr(request, "user", None)
    return user if user is not None and user.is_authenticated else None  # a lazy object: isinstance sees through it
