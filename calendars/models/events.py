"""The hub's events and their links into calendars.

What lives here: rows, constraints and named state changes. Content is sealed; times and busy state are in clear.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.sealing import SealedJSONField
from calendars.models.calendar import Calendar
from calsync.engine.policy import Role

_IDEMPOTENCY_NAMESPACE = uuid.UUID("0c0f5a1e-6d2b-4a57-9c7e-2f1f3f1b9a11")


class Event(models.Model):
    """The hub's record of one appointment, meeting or series of one person: the single source of truth."""

    person_path = "owner"  # whose a row is: see ``accounts.reach``

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="events")
    uid = models.CharField(max_length=1024, blank=True)  # cleaned iCalendar UID
    starts_at = models.DateTimeField(db_index=True)  # first start, UTC; all-day: midnight UTC of the day
    ends_at = models.DateTimeField()  # end of the first occurrence
    is_all_day = models.BooleanField(default=False)
    is_series = models.BooleanField(default=False)
    show_as = models.CharField(max_length=12)
    content = SealedJSONField()  # calsync.engine.serial form of the whole aggregate
    left_alone = models.BooleanField(default=False)  # older than an activation "from now": never copied
    changed_at = models.DateTimeField(null=True, blank=True)  # the provider's stamp of the last edit we took over
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    busy_due_at = models.DateTimeField(null=True, blank=True)  # since when its busy time has to be worked out anew
    busy_until = models.DateTimeField(null=True, blank=True)  # up to when a series' occurrences are worked out

    # A part stands for a piece of a series that one platform cannot hold as a whole. Its content is derived.
    whole = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="parts")
    part = models.CharField(max_length=255, blank=True)  # which piece: an occurrence key, or a rule
    # The series that "this and following" was taken from.
    predecessor = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="successors")

    class Meta:
        ordering = ("-pk",)
        indexes = [
            models.Index(fields=["owner", "starts_at"], name="event_owner_starts"),
            models.Index(fields=["owner", "uid"], name="event_owner_uid"),
            models.Index(fields=["busy_due_at"], condition=Q(busy_due_at__isnull=False), name="event_busy_due"),
            models.Index(fields=["busy_until"], condition=Q(busy_until__isnull=False), name="event_busy_until"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["whole", "part"], condition=Q(whole__isnull=False), name="event_part_once_per_whole"
            ),
            models.CheckConstraint(condition=Q(whole__isnull=True) | ~Q(part=""), name="event_part_has_a_name"),
        ]

    def __str__(self) -> str:
        return f"event {self.pk}"


class LinkState(models.TextChoices):
    """Whether a link stands."""

    ACTIVE = "active", "active"
    HELD = "held", "held: its deletion waits for a person"
    RELEASED = "released", "released: its deletion was approved"
    GONE = "gone", "gone"


class Withheld(models.TextChoices):
    """Why the rules keep a link from standing. Such a link is gone, and comes back by itself when they let it."""

    SKIPPED = "skipped", "no rule lets it stand here"
    KEPT = "kept", "left as it is, not kept in step"  # its copy still stands there
    BEYOND = "beyond", "later than its rule lets events travel"


class Link(models.Model):
    """One hub event in one calendar, and what was last agreed about it.

    ``remote_id`` is empty while the copy is wanted but not yet made. A gone link keeps its remote id, so that late
    news about it is recognised. A gone link without a key was taken out by an operator; activation may make it again.
    """

    person_path = "calendar__account__person"  # whose a row is: see ``accounts.reach``

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="links")
    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="links")
    role = models.CharField(max_length=8, choices=[(role.value, role.value) for role in Role])
    remote_id = models.CharField(max_length=1024, blank=True)
    version = models.CharField(max_length=255, blank=True)
    hub_map = models.JSONField(default=dict)  # field path -> fingerprint of the hub, as projected here, last agreed
    remote_map = models.JSONField(default=dict)  # field path -> fingerprint of what the provider echoed
    occurrences = models.JSONField(default=list)  # keys of exceptions and cancelled occurrences last seen there
    state = models.CharField(max_length=8, choices=LinkState, default=LinkState.ACTIVE)
    token = models.UUIDField(default=uuid.uuid4, unique=True)  # names this link in idempotency keys
    generation = models.PositiveIntegerField(default=0)
    key = models.CharField(max_length=36, blank=True, db_index=True)  # the current idempotency key, see ``new_key``
    treatment = models.JSONField(default=dict)  # what the rules let this copy show; empty: everything
    is_ours = models.BooleanField(default=False)  # CalSync made the copy: it did not stand there already
    sent = models.JSONField(default=dict)  # by which rule the copy was last written, and which fields it shows
    withheld = models.CharField(max_length=8, choices=Withheld, blank=True)
    asked = models.CharField(max_length=16, blank=True)  # the mark of when, where and with whom approval was asked for
    answer = models.CharField(max_length=8, blank=True)  # approved or refused

    class Meta:
        ordering = ("pk",)
        indexes = [models.Index(fields=["withheld"], condition=~Q(withheld=""), name="link_withheld")]
        constraints = [
            models.UniqueConstraint(fields=["event", "calendar"], name="link_once_per_event_and_calendar"),
            models.UniqueConstraint(
                fields=["calendar", "remote_id"], condition=~Q(remote_id=""), name="link_once_per_remote_event"
            ),
            models.CheckConstraint(condition=Q(withheld="") | Q(state="gone"), name="link_withheld_is_gone"),
        ]

    def __str__(self) -> str:
        return f"link {self.pk} ({self.role})"

    @property
    def is_of_a_part(self) -> bool:
        """Whether the event is a living part of a series (its row must be loaded)."""
        return self.event.whole_id is not None and self.event.deleted_at is None

    def new_key(self) -> str:
        """The idempotency key of (link, generation)."""
        return self._key_of(self.generation)

    def used_keys(self) -> frozenset[str]:
        """Every key that a create of this link may ever have carried: what proves that a copy is ours."""
        return frozenset(self._key_of(generation) for generation in range(self.generation + 1))

    def take_out(self) -> None:
        """Note that an operator had the copy taken out (in memory): gone, and without a key until it is made anew."""
        self.state, self.key, self.withheld = LinkState.GONE, "", ""
        self.generation += 1

    def begin_again(self) -> None:
        """Want the copy anew that an operator had taken out (in memory)."""
        self.state, self.remote_id, self.version = LinkState.ACTIVE, "", ""
        self.hub_map, self.remote_map, self.occurrences, self.withheld = {}, {}, [], ""
        self.key = self.new_key()

    def _key_of(self, generation: int) -> str:
        return str(uuid.uuid5(_IDEMPOTENCY_NAMESPACE, f"{self.token}/{generation}"))


class EventEntry(models.Model):
    """One line of an event's history: what happened to it, when and where. No content."""

    person_path = "event__owner"  # whose a row is: see ``accounts.reach``

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="history")
    calendar = models.ForeignKey(Calendar, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    kind = models.CharField(max_length=24)
    paths = models.JSONField(default=list)  # names of the fields concerned
    text = models.CharField(max_length=500, blank=True)  # for a person, without event text

    class Meta:
        ordering = ("pk",)
        verbose_name_plural = "event entries"

    def __str__(self) -> str:
        return f"{self.kind} of event {self.event_id}"
