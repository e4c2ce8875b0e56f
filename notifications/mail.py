"""Mails to IT administrators: messages with a cause go out by mail as well, rows first, each to its person alone."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage

from notifications.models import Message
from notifications.topics import TOPICS

logger = logging.getLogger(__name__)

TOO_LATE = timedelta(days=1)
"""What could not be mailed for so long stays in the inbox alone; what lasts is told anew."""
MOST_AT_ONCE = 100


def send_due(*, now: datetime) -> int:
    """Mail what waits; returns how many were sent. What fails is tried again by the next call."""
    if not settings.CALSYNC_EMAIL_URL:
        return 0
    waiting = Message.objects.to_be_mailed(since=now - TOO_LATE).select_related("person").order_by("pk")
    return sum(_send(message, now) for message in waiting[:MOST_AT_ONCE])


def _send(message: Message, now: datetime) -> bool:
    """Claimed before it is sent, so that two workers send it once."""
    mine = Message.objects.filter(pk=message.pk, mailed_at=None)
    if not mine.update(mailed_at=now):
        return False
    topic = TOPICS.get(message.topic)
    body = f"{message.sentence}\n\n{_where()}"
    mail = EmailMessage(f"CalSync: {topic.label if topic else message.topic}", body, to=[message.person.email])
    try:
        mail.send()
    except (SMTPException, OSError) as error:
        logger.warning("mail.failed message=%s error=%s", message.pk, type(error).__name__)
        Message.objects.filter(pk=message.pk).update(mailed_at=None)
        return False
    return True


def _where() -> str:
    if not settings.CALSYNC_PUBLIC_URL:
        return "The console's health page shows how everything is doing."
    return f"How everything is doing: {settings.CALSYNC_PUBLIC_URL}/admin/health"
