"""Linking as a browser does it: the button on one's own page, the provider's page of consent, and back."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests
from django.test import Client

from calsync.simulator.google.oauth import OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET
from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET
from calsync.simulator.graph.tenant import TENANT_ID
from calsync.simulator.server import Simulator

BOTH = ["outlook", "google"]


def own_consent_only(simulator: Simulator, settings) -> None:
    """An organisation that gave CalSync no permission of its own: people link their mailboxes themselves."""
    settings.MICROSOFT_TENANT_ID, settings.MICROSOFT_CLIENT_ID = TENANT_ID, CLIENT_ID
    settings.MICROSOFT_CLIENT_SECRET = CLIENT_SECRET
    settings.MICROSOFT_LOGIN_URL = settings.MICROSOFT_GRAPH_URL = simulator.url
    settings.GOOGLE_OAUTH_CLIENT_ID, settings.GOOGLE_OAUTH_CLIENT_SECRET = OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET
    settings.GOOGLE_LOGIN_URL = settings.GOOGLE_API_URL = simulator.url
    settings.GOOGLE_SERVICE_ACCOUNT_FILE = ""
    granted_to_the_organisation(simulator, yes=False)


def granted_to_the_organisation(simulator: Simulator, *, yes: bool) -> None:
    """Whether Microsoft's administrators gave the app registration permissions of its own."""
    app = simulator.graph.login.apps[CLIENT_ID]
    app.roles = {"Calendars.ReadWrite", "MailboxSettings.Read"} if yes else set()


def asked(client: Client, platform: str) -> str:
    """The address of the page of consent."""
    answer = client.post(f"/mailboxes/{platform}/link")
    assert answer.status_code == 302, answer.content
    return answer.headers["Location"]


def answered(consent: str, address: str, *, answer: str = "allow") -> str:
    """The path, with its query, by which the browser comes back."""
    form = {"account": address, "answer": answer}
    told = requests.post(consent, data=form, allow_redirects=False, timeout=5)
    assert told.status_code == 302, told.text
    back = urlsplit(told.headers["Location"])
    return f"{back.path}?{back.query}"


def link(client: Client, platform: str, address: str, *, answer: str = "allow") -> str:
    """The whole way; returns the text of the page on which it ends."""
    page = client.get(answered(asked(client, platform), address, answer=answer), follow=True)
    assert page.redirect_chain == [("/", 302)]
    return page.content.decode()
