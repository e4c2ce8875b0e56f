"""What stands between a request and the console: a second factor, where the installation asks its staff for one."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.signin import has_second_factor


class SecondFactorForStaff:
    """Sends staff without an authenticator app or passkey to the page where they set one up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let the request through, or ask for the second factor first."""
        if settings.CALSYNC_STAFF_SECOND_FACTOR and self._is_missing(request):
            messages.warning(request, "The console asks for a second factor: set up an authenticator app or a passkey.")
            return HttpResponseRedirect(reverse("mfa_index"))
        return self.get_response(request)

    def _is_missing(self, request: HttpRequest) -> bool:
        in_console = request.path.startswith(reverse("admin:index"))
        person = request.user
        return in_console and person.is_authenticated and person.is_staff and not has_second_factor(person)
