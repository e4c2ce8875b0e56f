"""Messages to people."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models

from notifications.topics import TOPICS


class MessageQuerySet(models.QuerySet["Message"]):
    """Named selections."""

    def unread(self) -> Self:
        """Messages that nobody has opened yet."""
        return self.filter(read_at=None)

    def to_be_mailed(self, *, since: datetime) -> Self:
        """Messages with a cause that were not mailed yet and are not too old."""
        return self.filter(mailed_at=None, created_at__gt=since).exclude(cause="")


class Message(models.Model):
    """One notification to one person in their inbox. ``facts`` fill the topic's sentence and hold no event text."""

    person_path = "person"  # whose a row is: see ``accounts.reach``

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="messages")
    topic = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=80, blank=True)  # what IT staff is told about, once; such messages are mailed
    mailed_at = models.DateTimeField(null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        indexes = [
            models.Index(fields=["person", "read_at"], name="message_inbox"),
            models.Index(fields=["cause", "created_at"], name="message_cause", condition=~models.Q(cause="")),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.pk}"

    @property
    def sentence(self) -> str:
        """What the message says. A topic that has been retired since shows its name."""
        topic = TOPICS.get(self.topic)
        return topic.say(self.facts) if topic and topic.facts == set(self.facts) else self.topic

    def read(self, *, now: datetime) -> None:
        """Note the first reading (in memory)."""
        self.read_at = self.read_at or now
