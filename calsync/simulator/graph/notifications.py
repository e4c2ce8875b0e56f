"""Change notifications: the subscription's record, what its messages say, and how bursts share one call."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from calsync.simulator.core import Core
from calsync.simulator.graph import ids
from calsync.simulator.graph.errors import Json
from calsync.simulator.graph.moments import stamp
from calsync.simulator.graph.records import Event, Mailbox

LIFECYCLE = ("missed", "subscriptionRemoved", "reauthorizationRequired")
JSON_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(slots=True)
class Burst:
    """Notifications of one subscription that travel in one call; closed once the call was built."""

    items: list[Json] = field(default_factory=list)
    closed: bool = False

    def build(self) -> bytes:
        """The body of the call, the same at every retry."""
        self.closed = True
        return json.dumps({"value": self.items}).encode()


@dataclass(slots=True)
class Subscription:
    """One live subscription. ``calendar_id`` '' means all calendars of the mailbox."""

    id: str
    app: str
    mailbox: Mailbox
    calendar_id: str
    resource: str
    changes: frozenset[str]
    change_type: str
    url: str
    lifecycle_url: str
    state: str | None
    expires_at: datetime
    immutable: bool
    ended: bool = False
    burst: Burst = field(default_factory=lambda: Burst(closed=True))

    def on_wire(self) -> Json:
        """The subscription resource."""
        return {
            "id": self.id,
            "resource": self.resource,
            "applicationId": self.app,
            "changeType": self.change_type,
            "clientState": self.state,
            "notificationUrl": self.url,
            "notificationQueryOptions": None,
            "notificationContentType": None,
            "lifecycleNotificationUrl": self.lifecycle_url or None,
            "expirationDateTime": stamp(self.expires_at),
            "creatorId": ids.stable_uuid("creator", self.app),
            "includeResourceData": None,
            "latestSupportedTlsVersion": "v1_2",
            "encryptionCertificate": None,
            "encryptionCertificateId": None,
            "notificationUrlAppId": None,
        }


class Bell:
    """Builds notifications and hands them to the notifier. Runs under ``core.lock``."""

    def __init__(self, core: Core, tenant_id: str) -> None:
        self._core = core
        self._tenant_id = tenant_id
        self._count = 0

    def ring(self, found: Subscription, event: Event, kind: str) -> None:
        """Owe one notification (two when duplicates are switched on); those that wait share one call."""
        for _ in range(2 if self._core.switches.duplicate_notifications else 1):
            item = self._item(found, event, kind)
            if not found.burst.closed:
                found.burst.items.append(item)
                continue
            found.burst = Burst([item])
            self._send(found, found.url, found.burst.build, delay=self._core.switches.notification_delay_ms / 1000)

    def lifecycle(self, found: Subscription, kind: str) -> None:
        """Owe one lifecycle message, when the subscription names an address for them."""
        if found.lifecycle_url:
            item = {**self._envelope(found), "lifecycleEvent": kind}
            self._send(found, found.lifecycle_url, Burst([item]).build)

    def _item(self, found: Subscription, event: Event, kind: str) -> Json:
        self._count += 1
        event_id = event.reference(None, immutable=found.immutable)
        path = f"Users/{found.mailbox.guid}/Events/{event_id}"
        return {
            "id": ids.stable_uuid("notification", str(self._count)),
            **self._envelope(found),
            "changeType": kind,
            "resource": path,
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.Event",
                "@odata.id": path,
                "@odata.etag": event.etag,
                "id": event_id,
            },
        }

    def _envelope(self, found: Subscription) -> Json:
        return {
            "subscriptionId": found.id,
            "subscriptionExpirationDateTime": stamp(found.expires_at),
            "clientState": found.state,
            "tenantId": self._tenant_id,
        }

    def _send(self, found: Subscription, url: str, build: Callable[[], bytes], *, delay: float = 0.0) -> None:
        def owed() -> bytes | None:
            with self._core.lock:  # a subscription that ended says nothing more, except that it ended
                return None if found.ended and url != found.lifecycle_url else build()

        self._core.notifier.send(key=f"graph/{found.id}", url=url, build=owed, headers=JSON_HEADERS, delay=delay)
