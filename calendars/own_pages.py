"""A person's own pages: their mailboxes, linking one by consent, and disconnecting it.

They read no ids: whoever is signed in acts on what is their own. What a consent under way needs is kept in the session
and serves once; the way back from the provider always leads on at once, so that its address is nowhere shown or kept.
"""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import User
from accounts.services.linking import Parting
from calendars import own_mailboxes
from calendars.own_mailboxes import NAMES
from calsync.engine.events import Platform
from calsync.providers.base import ProviderError, Transient
from calsync.providers.consent import ConsentRefused

logger = logging.getLogger(__name__)

ANSWER = ("code", "state", "error")
LEFT_AT = {
    Platform.GOOGLE: "https://myaccount.google.com/permissions",
    Platform.OUTLOOK: "https://myapps.microsoft.com",
}
"""Where people themselves see what they have granted, and take it back."""


@require_GET
@never_cache
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Whose mailboxes take part, and how they are doing: one's own, nobody else's."""
    return render(request, "accounts/home.html", {"places": own_mailboxes.places(_person(request))})


@require_POST
def link(request: HttpRequest, place: str) -> HttpResponse:
    """Lead on to the provider's page of consent. Whoever is not signed in any more signs in and begins again."""
    platform = _platform(place)
    if not request.user.is_authenticated:
        return redirect("home")
    try:
        way = own_mailboxes.begin_link(
            person=_person(request), platform=platform, redirect_uri=_way_back(request, platform), now=timezone.now()
        )
    except ProviderError as error:
        return _refused(request, platform, error)
    request.session[_kept(platform)] = way.kept
    return redirect(way.url)


@require_GET
@never_cache
def linked(request: HttpRequest, place: str) -> HttpResponse:
    """The way back from the page of consent. Whoever is not signed in any more signs in and begins again."""
    platform = _platform(place)
    if not request.user.is_authenticated:
        return redirect("home")
    try:
        account = own_mailboxes.finish_link(
            person=_person(request),
            platform=platform,
            kept=request.session.pop(_kept(platform), {}),
            answer={name: request.GET[name] for name in ANSWER if name in request.GET},
            now=timezone.now(),
        )
    except ProviderError as error:
        return _refused(request, platform, error)
    logger.info("mailbox.linked account=%s", account.pk)
    messages.success(request, f"{account} is linked. CalSync begins to read it now.")
    return redirect("home")


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def disconnect(request: HttpRequest, place: str) -> HttpResponse:
    """Say what will happen, and do it once that is confirmed."""
    platform = _platform(place)
    account = own_mailboxes.linked_account(_person(request), platform)
    if account is None:
        messages.info(request, f"No {NAMES[platform]} mailbox of yours is linked.")
        return redirect("home")
    if request.method == "GET":
        told: dict[str, Any] = {"account": account, "name": NAMES[platform], "left_at": LEFT_AT[platform]}
        return render(request, "accounts/disconnect.html", {**told, "revokes": platform == Platform.GOOGLE})
    parting = own_mailboxes.disconnect(account=account, clock=timezone.now)
    logger.info("mailbox.disconnected account=%s revoked=%s", account.pk, parting.revoked)
    messages.success(
        request, f"{account} is disconnected, and CalSync has deleted its keys. {_left(platform, parting)}"
    )
    return redirect("home")


def _left(platform: Platform, parting: Parting) -> str:
    """What is left to do at the provider."""
    name, page = NAMES[platform], LEFT_AT[platform]
    if parting.revoked:
        return f"{name} takes them no more either."
    if parting.reached:
        return f"{name} still lists the permission; remove it at {page} if you like."
    return f"{name} could not be told: remove the permission yourself at {page}."


def _refused(request: HttpRequest, platform: Platform, error: ProviderError) -> HttpResponse:
    logger.info("mailbox.not_linked platform=%s error=%s code=%s", platform, type(error).__name__, error.code)
    if isinstance(error, ConsentRefused):
        told = str(error)
    elif isinstance(error, Transient):
        told = f"{NAMES[platform]} does not answer at the moment, so nothing was linked. Try again in a few minutes."
    else:
        told = f"Nothing was linked. Tell your IT team: {error}"
    messages.error(request, told)
    return redirect("home")


def _platform(place: str) -> Platform:
    try:
        return Platform(place)
    except ValueError:
        raise Http404 from None


def _way_back(request: HttpRequest, platform: Platform) -> str:
    path = reverse("mailbox-linked", args=[platform.value])
    return settings.CALSYNC_PUBLIC_URL + path if settings.CALSYNC_PUBLIC_URL else request.build_absolute_uri(path)


def _kept(platform: Platform) -> str:
    """Under which name the session keeps a consent that is under way."""
    return f"linking-{platform}"


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404
    return request.user
