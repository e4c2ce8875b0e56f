"""The way in, as a browser takes it: our page, the provider's page of consent, and back."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests
from django.test import Client

from calsync.simulator.google.oauth import OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET
from calsync.simulator.graph.oauth import CLIENT_ID, CLIENT_SECRET
from calsync.simulator.graph.tenant import TENANT_ID
from calsync_site.signin import microsoft, openid_app, openid_connect

GOOGLE, MICROSOFT = "/accounts/oidc/google/login/", "/accounts/microsoft/login/"
BOTH = [MICROSOFT, GOOGLE]


def providers(url: str) -> dict:
    """allauth's settings, pointed at a simulator."""
    return microsoft(
        tenant=TENANT_ID, client=CLIENT_ID, secret=CLIENT_SECRET, login_url=url, graph_url=url
    ) | openid_connect(
        openid_app(key="google", name="Google", client=OAUTH_CLIENT_ID, secret=OAUTH_CLIENT_SECRET, server=url)
    )


def sign_in(client: Client, address: str, *, at: str = MICROSOFT, answer: str = "allow", to: str = ""):
    """The answer to the browser that comes back from the provider."""
    begun = client.post(at, query_params={"next": to} if to else None)
    assert begun.status_code == 302, begun.content
    asked = requests.post(
        begun.headers["Location"], data={"account": address, "answer": answer}, allow_redirects=False, timeout=5
    )
    assert asked.status_code == 302, asked.text
    back = urlsplit(asked.headers["Location"])
    return client.get(f"{back.path}?{back.query}")


def who(client: Client) -> str:
    """The person whom a browser is signed in as, by primary key; '' for nobody."""
    return client.session.get("_auth_user_id", "")
