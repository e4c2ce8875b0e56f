"""The Microsoft login side: discovery documents, keys and the token endpoint; people's own consent is in ``consent``.

Discovery names https://login.microsoftonline.com whatever host was asked: clients refuse a plain http authority, so a
local client rewrites the host underneath and keeps the real names.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
from werkzeug.wrappers import Request, Response

from calsync.simulator import openid
from calsync.simulator.core import Core
from calsync.simulator.graph import ids
from calsync.simulator.graph.consent import LOGIN, Consents
from calsync.simulator.graph.errors import Json
from calsync.simulator.graph.store import GraphStore
from calsync.simulator.graph.tenant import TENANT_ID

CLIENT_ID = ids.stable_uuid("app", "calsync")
CLIENT_SECRET = "pretend-client-secret"  # noqa: S105 - known to everybody, opens only the pretend tenant
LIFETIME = timedelta(seconds=3599)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ROLES = ("Calendars.ReadWrite", "MailboxSettings.Read", "User.Read.All", "GroupMember.Read.All")


@dataclass(slots=True)
class App:
    """An application that is registered in a tenant. ``domains``: the mail domains of a tenant of its own; none: it is
    at home in the first tenant. ``certificate``: the PEM text against which assertions are checked; '' checks none.
    """

    client_id: str
    secret: str
    secret_expired: bool = False
    tenant_id: str = TENANT_ID
    domains: frozenset[str] = frozenset()
    roles: set[str] = field(default_factory=lambda: set(ROLES))
    certificate: str = ""

    def reaches(self, address: str, others: Iterable[str]) -> bool:
        """Whether a mailbox is in the application's tenant; ``others``: the domains of the tenants beside the first."""
        domain = address.rpartition("@")[2].lower()
        return domain in self.domains if self.domains else domain not in others


class LoginError(Exception):
    """A refusal of the token endpoint; ``number`` is the AADSTS code."""

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        super().__init__(f"AADSTS{number}")
        self.status, self.error, self.number, self.text = status, error, number, text


class Login:
    """Registered applications and the tokens they hold."""

    def __init__(self, core: Core, store: GraphStore) -> None:
        self._core = core
        self._store = store
        self.apps = {CLIENT_ID: App(CLIENT_ID, CLIENT_SECRET)}
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._count = 0
        self.consents = Consents(core, store)
        store.login = self

    def register(self, client_id: str, secret: str) -> App:
        """Make another application known."""
        self.apps[client_id] = App(client_id, secret)
        return self.apps[client_id]

    def add_tenant(self, *domains: str, client_id: str, secret: str) -> App:
        """Another tenant, which holds the mailboxes of these mail domains and has one application."""
        tenant_id = ids.stable_uuid("tenant", *domains)
        self.apps[client_id] = App(client_id, secret, tenant_id=tenant_id, domains=frozenset(domains))
        return self.apps[client_id]

    @property
    def other_domains(self) -> frozenset[str]:
        """The mail domains of the tenants beside the first."""
        return frozenset().union(*(app.domains for app in self.apps.values()))

    def app_of(self, token: str) -> str | None:
        """The application a valid access token belongs to."""
        found = self._tokens.get(token)
        return found[0] if found is not None and found[1] > self._core.clock.now() else None

    def revoke_all(self) -> None:
        """End every access token."""
        self._tokens.clear()

    def handle(self, request: Request) -> Response | None:
        """Answer a login path; None when it is none."""
        words = [word for word in request.path.split("/") if word]
        if words[:3] == ["common", "discovery", "instance"]:
            return _json(_instances(), 200)
        if len(words) == 4 and words[1:] == ["v2.0", ".well-known", "openid-configuration"]:
            return self._answered(lambda: self._configuration(words[0]))
        if len(words) == 4 and words[1:] == ["oauth2", "v2.0", "token"] and request.method == "POST":
            return self._answered(lambda: self._token(words[0], request.form.to_dict()))
        if len(words) == 4 and words[1:] == ["discovery", "v2.0", "keys"]:
            return self._answered(openid.key_set)
        if len(words) == 4 and words[1:] == ["oauth2", "v2.0", "authorize"]:
            return self.consents.authorize(request, set(self.apps))
        return None

    def _answered(self, act: Any) -> Response:
        try:
            return _json(act(), 200)
        except LoginError as error:
            return _json(self._error_body(error), error.status)

    def _check_tenant(self, tenant: str) -> None:
        domains = {address.partition("@")[2] for address in self._store.mailboxes}
        if tenant.lower() not in {self._store.tenant_id, *domains, *(app.tenant_id for app in self.apps.values())}:
            raise LoginError(400, "invalid_tenant", 90002, f"Tenant '{tenant}' not found.")

    def _configuration(self, tenant: str) -> Json:
        self._check_tenant(tenant)
        here = f"{LOGIN}/{tenant}"
        return {
            "token_endpoint": f"{here}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{here}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{LOGIN}/{self._store.tenant_id}/v2.0",
            "request_uri_parameter_supported": False,
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
            "authorization_endpoint": f"{here}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{here}/oauth2/v2.0/devicecode",
            "end_session_endpoint": f"{here}/oauth2/v2.0/logout",
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "tid", "oid"],
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
        }

    def _token(self, tenant: str, form: dict[str, str]) -> Json:
        self._check_tenant(tenant)
        app = self.apps.get(form.get("client_id", ""))
        at_home = app is not None and (tenant.lower() == app.tenant_id or "." in tenant)
        if app is None or not at_home:
            text = f"Application with identifier '{form.get('client_id', '')}' was not found in the directory."
            raise LoginError(400, "unauthorized_client", 700016, text)
        if form.get("client_assertion_type") == ASSERTION_TYPE:
            self._check_assertion(app, form.get("client_assertion", ""))
        else:
            _check_secret(app, form.get("client_secret"))
        kind = form.get("grant_type", "")
        if kind in ("authorization_code", "refresh_token"):
            return self._delegated(kind, form)
        if kind != "client_credentials":
            raise LoginError(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        if not form.get("scope", "").endswith("/.default"):
            text = "The provided value for the input parameter 'scope' isn't valid."
            raise LoginError(400, "invalid_scope", 70011, text)
        seconds = int(LIFETIME.total_seconds())
        token = self._issue(app)
        return {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}

    def _delegated(self, kind: str, form: dict[str, str]) -> Json:
        with self._core.lock:
            by_code = kind == "authorization_code"
            answer = self.consents.by_code(form) if by_code else self.consents.by_refresh(form)
        if answer is None and by_code:
            raise LoginError(400, "invalid_grant", 70008, "The provided authorization code is invalid or has expired.")
        if answer is None:
            raise LoginError(400, "invalid_grant", 50173, "The provided grant has expired due to it being revoked.")
        return answer

    def _check_assertion(self, app: App, assertion: str) -> None:
        """Header and claims must be those of a real client; the signature is checked where the certificate is known."""
        if app.certificate and not _is_signed(app.certificate, assertion):
            raise LoginError(401, "invalid_client", 700027, "The key was not found for the client assertion.")
        claims = _claims(assertion)
        if claims is None or claims.get("iss") != app.client_id or claims.get("sub") != app.client_id:
            raise LoginError(401, "invalid_client", 700027, "Client assertion failed signature validation.")
        if not str(claims.get("aud", "")).startswith(LOGIN):
            raise LoginError(401, "invalid_client", 700023, "Client assertion audience claim is invalid.")
        if float(claims.get("exp", 0)) < self._core.clock.now().timestamp():
            raise LoginError(401, "invalid_client", 700024, "Client assertion is not within its valid time range.")

    def _issue(self, app: App) -> str:
        with self._core.lock:
            self._count += 1
            now = self._core.clock.now()
            claims = {
                "aud": "https://graph.microsoft.com",
                "iss": f"https://sts.windows.net/{self._store.tenant_id}/",
                "iat": int(now.timestamp()),
                "exp": int((now + LIFETIME).timestamp()),
                "appid": app.client_id,
                "oid": ids.stable_uuid("creator", app.client_id),
                "idtyp": "app",
                "roles": sorted(app.roles),
                "tid": app.tenant_id,
                "uti": str(self._count),
            }
            token = f"{_part({'typ': 'JWT', 'alg': 'RS256', 'kid': 'pretend'})}.{_part(claims)}.{_part({})}"
            self._tokens[token] = (app.client_id, now + LIFETIME)
            return token

    def _error_body(self, error: LoginError) -> Json:
        self._count += 1
        trace, now = ids.stable_uuid("trace", str(self._count)), f"{self._core.clock.now():%Y-%m-%d %H:%M:%SZ}"
        told = f"AADSTS{error.number}: {error.text}\r\nTrace ID: {trace}\r\nCorrelation ID: {trace}\r\nTimestamp: {now}"
        return {
            "error": error.error,
            "error_description": told,
            "error_codes": [error.number],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": trace,
            "error_uri": f"{LOGIN}/error?code={error.number}",
        }


def _check_secret(app: App, secret: str | None) -> None:
    if not secret:
        text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise LoginError(401, "invalid_client", 7000218, text)
    if secret != app.secret:
        text = f"Invalid client secret provided for app '{app.client_id}'."
        raise LoginError(401, "invalid_client", 7000215, text)
    if app.secret_expired:
        text = f"The provided client secret keys for app '{app.client_id}' are expired."
        raise LoginError(401, "invalid_client", 7000222, text)


def _instances() -> Json:
    aliases = ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"]
    return {
        "tenant_discovery_endpoint": f"{LOGIN}/common/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": aliases[0], "preferred_cache": aliases[1], "aliases": aliases}],
    }


def _is_signed(certificate: str, assertion: str) -> bool:
    """Whether the assertion carries a signature by the certificate's key."""
    head, _, signature = assertion.rpartition(".")
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        algorithm = json.loads(base64.urlsafe_b64decode(head.partition(".")[0] + "=="))["alg"]
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        scheme: AsymmetricPadding = pss if algorithm == "PS256" else padding.PKCS1v15()
        given = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        key.verify(given, head.encode(), scheme, hashes.SHA256())
    except (InvalidSignature, KeyError, ValueError):
        return False
    return True


def _claims(assertion: str) -> Json | None:
    """The claims of a JWT whose three parts decode and whose algorithm is one that Entra takes."""
    parts = assertion.split(".")
    if len(parts) != 3:
        return None
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
    except (binascii.Error, ValueError):
        return None
    if not isinstance(header, dict) or header.get("alg") not in ("PS256", "RS256") or not isinstance(claims, dict):
        return None
    return claims


def _part(value: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _json(body: Json, status: int) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json")
