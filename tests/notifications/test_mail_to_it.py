"""Mail to IT administrators: rows first, one mail for each person and cause, sent to a real mail server."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as ParsesMail
from django.core import mail as outbox

from accounts.models import User
from notifications import mail
from notifications.models import Message
from notifications.services import tell, tell_it
from notifications.topics import FactsMismatch
from tests.factories import NOW, UserFactory

pytestmark = pytest.mark.django_db
FACTS = {"connection": "Meridian", "reason": "AADSTS7000222.", "remedy": "Make a new secret."}


class Letterbox(ParsesMail):
    """Keeps what arrives."""

    def __init__(self):
        super().__init__()
        self.mails = []

    def handle_message(self, message):
        self.mails.append(message)


@pytest.fixture
def letterbox(settings):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    box = Letterbox()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    settings.CALSYNC_EMAIL_URL = f"smtp://127.0.0.1:{port}"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    yield box
    server.stop()


@pytest.fixture
def staff():
    return [User.objects.create_superuser(f"{name}@example.org", "x") for name in ("it", "second")]


def shut(now=NOW, cause="connection.1.shut", **more):
    return tell_it(cause=cause, topic="connection_shut", facts=FACTS, now=now, **more)


def test_every_it_administrator_gets_one_mail_to_themselves_alone(letterbox, staff, settings):
    settings.CALSYNC_PUBLIC_URL = "https://calsync.example.org"
    UserFactory(email="employee@example.org")
    User.objects.create_superuser("gone@example.org", "x", is_active=False)
    assert shut() == 2
    assert mail.send_due(now=NOW) == 2
    assert [message["To"] for message in letterbox.mails] == ["it@example.org", "second@example.org"]
    first = letterbox.mails[0]
    assert first["Subject"] == "CalSync: A connection needs somebody"
    text = first.get_payload(decode=True).decode()
    assert "Meridian does not let CalSync in: AADSTS7000222." in text
    assert "https://calsync.example.org/admin/health" in text
    assert mail.send_due(now=NOW) == 0
    assert len(letterbox.mails) == 2


def test_one_cause_is_told_once_and_again_after_a_day_only(staff):
    day = timedelta(days=1)
    assert shut() == 2
    assert shut(NOW + timedelta(hours=23), again_after=day) == 0
    assert shut(NOW + timedelta(hours=25), again_after=day) == 2
    assert shut(NOW + 30 * day) == 0
    assert shut(cause="connection.2.shut") == 2


def test_a_mail_that_could_not_be_sent_is_sent_by_the_next_call(letterbox, staff, settings):
    right, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    shut()
    assert mail.send_due(now=NOW) == 0
    settings.EMAIL_PORT = right
    assert mail.send_due(now=NOW + timedelta(minutes=1)) == 2
    assert Message.objects.filter(mailed_at=NOW + timedelta(minutes=1)).count() == 2


def test_what_could_not_be_sent_for_a_day_is_left_in_the_inbox(staff, settings):
    settings.CALSYNC_EMAIL_URL = "smtp://127.0.0.1:9"
    shut()
    assert mail.send_due(now=NOW + timedelta(days=1, minutes=1)) == 0
    assert outbox.outbox == []


def test_without_a_mail_server_the_inbox_alone_tells(staff):
    shut()
    assert mail.send_due(now=NOW) == 0
    assert outbox.outbox == []
    assert Message.objects.unread().count() == 2


def test_messages_to_employees_are_not_mailed(staff, settings):
    settings.CALSYNC_EMAIL_URL = "smtp://127.0.0.1:9"
    tell(person=staff[0], topic="sync_switched_on", facts={"reason": "x"}, now=NOW)
    assert mail.send_due(now=NOW) == 0
    assert outbox.outbox == []


def test_facts_that_could_not_be_shown_are_refused(staff):
    with pytest.raises(FactsMismatch):
        tell_it(cause="x", topic="connection_shut", facts={"connection": "Meridian"}, now=NOW)
    assert not Message.objects.exists()
