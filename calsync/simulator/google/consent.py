"""The Google side of a person's own consent: authorize page, revocation, user information and OpenID discovery.

Sources: Google's guides "OAuth 2.0 for Web Server Applications" and "OpenID Connect". The real service spreads over
accounts.google.com, oauth2.googleapis.com and openidconnect.googleapis.com; the discovery document names this one host
for all of them, while the issuer stays Google's.
"""

from __future__ import annotations

import json

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from calsync.simulator.google.oauth import ISSUER, Tokens, profile
from calsync.simulator.openid import Asking, consent_page, key_set

JSON = "application/json; charset=UTF-8"
AUTHORIZE, REVOKE, USERINFO = "/o/oauth2/v2/auth", "/revoke", "/v1/userinfo"
CERTS, DISCOVERY = "/oauth2/v3/certs", "/.well-known/openid-configuration"
PATHS = frozenset({AUTHORIZE, REVOKE, USERINFO, CERTS, DISCOVERY})


def answer(request: Request, tokens: Tokens, people: set[str]) -> Response | None:
    """Answer one of ``PATHS``; None for any other."""
    if request.path == AUTHORIZE:
        return _authorize(request, tokens, people)
    if request.path == REVOKE and request.method == "POST":
        known = tokens.revoke_token(request.values.get("token", ""))
        return _json({}) if known else _json({"error": "invalid_token", "error_description": "Token expired"}, 400)
    if request.path == USERINFO:
        grant = tokens.grant_of(request.headers.get("Authorization", ""))
        return _json(profile(grant.user)) if grant else _json({"error": "invalid_request"}, 401)
    if request.path == CERTS:
        return _json(key_set())
    return _json(_discovery(request.host_url.rstrip("/"))) if request.path == DISCOVERY else None


def _authorize(request: Request, tokens: Tokens, people: set[str]) -> Response:
    try:
        asking = Asking.read(request.args.to_dict())
    except ValueError as wrong:
        return Response(f"Error 400: invalid_request ({wrong})", 400)
    if asking.client_id not in tokens.clients:
        return Response("Error 401: invalid_client", 401)
    if request.method != "POST":
        return Response(consent_page("Google", asking, people), mimetype="text/html")
    if request.form.get("answer") != "allow":
        return redirect(asking.back(error="access_denied"))
    granted = set(asking.scopes) - set(tokens.core.switches.consent_withholds.split())
    code = tokens.codes.issue(asking, request.form.get("account", ""), granted, now=tokens.core.clock.now())
    return redirect(asking.back(code=code, scope=" ".join(sorted(granted))))


def _discovery(here: str) -> dict[str, object]:
    return {
        "issuer": ISSUER,
        "authorization_endpoint": here + AUTHORIZE,
        "token_endpoint": f"{here}/token",
        "userinfo_endpoint": here + USERINFO,
        "revocation_endpoint": here + REVOKE,
        "jwks_uri": here + CERTS,
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["plain", "S256"],
    }


def _json(body: object, status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type=JSON)
