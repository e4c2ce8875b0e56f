"""Webhooks: the providers' bells. Check the secret, remember that work is due, answer. No provider is called here.

What lives here: two views and the counting of calls. What does not: any reading of changes.
"""

from __future__ import annotations

import hmac
import json
import logging
import re
from collections import Counter
from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import escape
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from calendars.models import HookCount, Watch, WatchState
from calendars.sync import bell

logger = logging.getLogger(__name__)

LARGEST_BODY = 256 * 1024  # bytes
MOST_ITEMS = 1_000
PLAUSIBLE_ID = re.compile(r"[A-Za-z0-9._~+/=-]{1,255}")
LISTENING = (WatchState.LIVE, WatchState.ASKED, WatchState.DEAD)  # what a dead one says after all is true as well


@csrf_exempt
@require_POST
def graph(request: HttpRequest) -> HttpResponse:
    """Microsoft Graph change and lifecycle notifications, and the validation call made while subscribing.

    Always answered 202 (graph.md section 5: also for a wrong client state); forged and unknown ones cause no work.
    """
    token = request.GET.get("validationToken")
    if token is not None:
        return HttpResponse(escape(token[:2048]), content_type="text/plain")
    outcomes: Counter[str] = Counter()
    rung: set[int] = set()
    heard: set[int] = set()
    dead: set[str] = set()
    items = _graph_items(request)
    watches = _watches([str(item.get("subscriptionId", "")) for item in items])
    for item in items:
        watch = watches.get(str(item.get("subscriptionId", "")))
        outcome = _verdict(watch, str(item.get("clientState", "")))
        outcomes[outcome] += 1
        if watch is not None and outcome == "accepted":
            rung.add(watch.calendar_id)
            heard.add(watch.pk)
            if item.get("lifecycleEvent") in {"subscriptionRemoved", "reauthorizationRequired"}:
                dead.add(watch.subscription_id)
    _finish("graph", outcomes or Counter(malformed=1), rung, heard, dead)
    return HttpResponse(status=202)


@csrf_exempt
@require_POST
def google(request: HttpRequest) -> HttpResponse:
    """Google Calendar push notifications: everything is in the headers (google.md section 3)."""
    subscription_id = request.headers.get("X-Goog-Channel-ID", "")
    watch = _watches([subscription_id]).get(subscription_id)
    outcome = _verdict(watch, request.headers.get("X-Goog-Channel-Token", ""))
    is_first = request.headers.get("X-Goog-Resource-State") == "sync"
    heard = {watch.pk} if watch is not None and outcome == "accepted" else set()
    rung = {watch.calendar_id} if watch is not None and heard and not is_first else set()
    _finish("google", Counter({outcome: 1}), rung, heard, set())
    return HttpResponse(status=204)


def _graph_items(request: HttpRequest) -> list[dict[str, Any]]:  # parsed JSON of a stranger
    if request.content_type != "application/json":
        return []  # a browser sends such a thing across sites without asking; Graph does not
    try:
        if int(request.headers.get("Content-Length") or 0) > LARGEST_BODY:
            return []
        envelope = json.loads(request.body)
    except (ValueError, RecursionError):
        return []
    value = envelope.get("value") if isinstance(envelope, dict) else None
    return [item for item in value[:MOST_ITEMS] if isinstance(item, dict)] if isinstance(value, list) else []


def _watches(subscription_ids: list[str]) -> dict[str, Watch]:
    wanted = {subscription_id for subscription_id in subscription_ids if PLAUSIBLE_ID.fullmatch(subscription_id)}
    found = Watch.objects.filter(subscription_id__in=wanted, state__in=LISTENING) if wanted else Watch.objects.none()
    return {watch.subscription_id: watch for watch in found.order_by("pk")}


def _verdict(watch: Watch | None, secret: str) -> str:
    if watch is None:
        return "unknown"
    is_ours = hmac.compare_digest(watch.secret.encode(), secret.encode(errors="replace"))
    return "accepted" if is_ours and watch.secret else "forged"


def _finish(provider: str, outcomes: Counter[str], rung: set[int], heard: set[int], dead: set[str]) -> None:
    now = timezone.now()
    if heard:
        Watch.objects.filter(pk__in=heard).hear(now=now)
    if rung:
        bell.ring(calendar_ids=sorted(rung), now=now)
    if dead:
        # Renewal is due at once: the schedule makes a new channel and drops this one.
        Watch.objects.filter(subscription_id__in=dead).update(renew_at=now)
    for outcome, count in outcomes.items():
        row, made = HookCount.objects.get_or_create(
            day=now.date(), provider=provider, outcome=outcome, defaults={"count": count}
        )
        if not made:
            HookCount.objects.filter(pk=row.pk).update(count=F("count") + count)
    if refused := {name: count for name, count in outcomes.items() if name != "accepted"}:
        logger.warning("hook.refused provider=%s outcomes=%s", provider, dict(refused))
