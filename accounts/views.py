"""Pages for everybody who works with CalSync."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import LinkedAccount


@require_GET
@never_cache
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Whose mailboxes take part, and how they are doing: one's own, nobody else's."""
    accounts = LinkedAccount.objects.filter(person_id=request.user.pk).order_by("platform", "address")
    return render(request, "accounts/home.html", {"accounts": accounts})


def closed(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """A page of the sign-in library that this installation does not offer."""
    raise Http404
