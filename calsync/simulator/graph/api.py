"""The HTTP face of the pretend Microsoft 365: authentication, admission, batches, and errors in Graph's form."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from werkzeug.wrappers import Request, Response

from calsync.simulator.core import Core
from calsync.simulator.faults import Arrival, ConnectionDropped, carry_out
from calsync.simulator.graph import batch
from calsync.simulator.graph.batch import Part
from calsync.simulator.graph.errors import GraphError, Json, unreadable_body
from calsync.simulator.graph.oauth import Login
from calsync.simulator.graph.requests import GraphRequest, Reply
from calsync.simulator.graph.routes import Routes
from calsync.simulator.graph.store import GraphStore
from calsync.simulator.graph.subscriptions import Subscriptions
from calsync.simulator.graph.throttle import Throttle

CONTENT_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode
REFUSED = "calsync.refused"  # environ key: parts of a batch that find the mailbox full, by mailbox
BATCH = "/v1.0/$batch"


class GraphApi:
    """Everything under /v1.0/ and the login paths."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.store = GraphStore(core)
        self.login = Login(core, self.store)
        self.subscriptions = Subscriptions(core, self.store)
        self._throttle = Throttle(core)
        self._routes = Routes(core, self.store, self.subscriptions)
        self._count = 0

    # --- what the server asks for -------------------------------------------------------------------------

    def handle(self, request: Request) -> Response | None:
        """Answer a Graph or login request; None when the path is neither."""
        if not request.path.startswith("/v1.0/"):
            return self.login.handle(request)
        headers = _headers(request)
        try:
            app = self._authenticated(headers)
            self._check_reach(request, headers)
            if request.path == BATCH and request.method == "POST":
                reply = self._batch(request, headers, app)
            else:
                reply = self._single(request, headers, app)
        except GraphError as error:
            reply = self._refusal(error, headers)
        return self._response(reply, headers)

    def mailbox_of(self, request: Request) -> str:
        """The address of the mailbox that a request is about; '' for batches and everything else."""
        return self._address(request.environ["RAW_URI"])

    @contextmanager
    def admit(self, request: Request) -> Iterator[Response | None]:
        """Hold the request's places in its mailboxes for as long as it lasts; yields the 429 when there is none."""
        wanted = self._wanted_places(request)
        taken, refused = self._throttle.enter(wanted)
        try:
            if request.path != BATCH and any(refused.values()):
                yield self._full()
            else:
                request.environ[REFUSED] = refused
                yield None
        finally:
            self._throttle.leave(taken)

    # --- inside -------------------------------------------------------------------------------------------

    def _authenticated(self, headers: dict[str, str]) -> str:
        kind, _, token = headers.get("authorization", "").partition(" ")
        app = self.login.app_of(token.strip()) if kind.lower() == "bearer" else None
        if kind.lower() == "bearer" and (delegation := self.login.consents.delegation_of(token.strip())):
            app = delegation.client_id
        if app is None:
            message = "Access token is empty." if not token else "Access token has expired or is not yet valid."
            challenge = {"WWW-Authenticate": 'Bearer realm="", authorization_uri="https://login.microsoftonline.com"'}
            raise GraphError(401, "InvalidAuthenticationToken", message, headers=challenge)
        return app

    def _check_reach(self, request: Request, headers: dict[str, str]) -> None:
        """A delegated token reaches its own user's mailbox, within its permissions, and nothing else."""
        delegation = self.login.consents.delegation_of(headers.get("authorization", "").partition(" ")[2].strip())
        if delegation is None:
            return
        urls = [request.environ["RAW_URI"]]
        if request.path == BATCH:
            urls = [part.url for part in batch.read_parts(_json_body(request))]
        for url in urls:
            if url.partition("?")[0] == "/v1.0/me":
                needed, owner = "User.Read", delegation.user
            else:
                needed, owner = "Calendars.ReadWrite", self._address(url)
            foreign = owner != delegation.user and "/users/" in url
            if foreign or needed not in delegation.scopes:
                raise GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")

    def _single(self, request: Request, headers: dict[str, str], app: str) -> Reply:
        url = request.environ["RAW_URI"]
        self._throttle.spend(self._address(url))
        body = _json_body(request) if request.method in ("POST", "PATCH", "PUT") else None
        base, user = request.host_url.rstrip("/"), self._user(headers)
        return self._answered(GraphRequest(request.method, url, base, headers, body, app, user))

    def _user(self, headers: dict[str, str]) -> str:
        """Whom a delegated token speaks for; '' for an application's own token."""
        delegation = self.login.consents.delegation_of(headers.get("authorization", "").partition(" ")[2].strip())
        return delegation.user if delegation else ""

    def _answered(self, request: GraphRequest) -> Reply:
        reply = self._routes.answer(request)
        if request.prefer.applied:
            reply.headers["Preference-Applied"] = request.prefer.applied
        return reply

    def _batch(self, request: Request, headers: dict[str, str], app: str) -> Reply:
        parts = batch.read_parts(_json_body(request))
        refused: Counter[str] = Counter(request.environ.get(REFUSED, {}))
        base, lost = request.host_url.rstrip("/"), []

        def answer(part: Part) -> Reply:
            address = self._address(part.url)
            held: list[Reply] = []  # the real answer, kept beside the plain response that ledger and faults see

            def act() -> Response:
                held.append(self._part(part, base, headers, app, is_full=refused[address] > 0))
                refused[address] -= 1
                return Response(status=held[0].status)

            try:
                seen = carry_out(self._core, Arrival("graph", part.method, part.url, address, inner=True), act)
            except ConnectionDropped:  # the other parts are still done, then the whole answer is lost
                lost.append(part.id)
                return Reply(503)
            return held[0] if held else _as_reply(seen)

        reply = batch.run(parts, answer)
        if lost:
            raise ConnectionDropped
        return reply

    def _part(self, part: Part, base: str, headers: dict[str, str], app: str, *, is_full: bool) -> Reply:
        try:
            self._throttle.spend(self._address(part.url))
            if is_full:
                self._throttle.refuse()
            user = self._user(headers)
            return self._answered(GraphRequest(part.method, part.url, base, part.headers, part.body, app, user))
        except GraphError as error:
            return self._refusal(error, headers)

    def _wanted_places(self, request: Request) -> dict[str, int]:
        if request.path != BATCH:
            address = self._address(request.environ["RAW_URI"])
            return {address: 1} if address else {}
        try:
            parts = batch.read_parts(_json_body(request))
        except GraphError:
            return {}
        found = Counter(address for part in parts if (address := self._address(part.url)))
        return {address: min(count, batch.width(parts)) for address, count in found.items()}

    def _full(self) -> Response:
        try:
            self._throttle.refuse()
        except GraphError as error:
            return self._response(self._refusal(error, {}), {})
        raise AssertionError("the throttle always refuses")

    def _address(self, url: str) -> str:
        words = url.partition("?")[0].split("/", 5)
        if len(words) < 5 or words[2] != "users":
            return ""
        try:
            return self.store.user(unquote(words[3])).address
        except GraphError:
            return ""

    def _refusal(self, error: GraphError, headers: dict[str, str]) -> Reply:
        now = f"{self._core.clock.now():%Y-%m-%dT%H:%M:%S}"
        request_id = self._request_id()
        body = error.body(
            date=now, request_id=request_id, client_request_id=headers.get("client-request-id", request_id)
        )
        return Reply(error.status, body, dict(error.headers))

    def _request_id(self) -> str:
        self._count += 1
        return f"5ca1ab1e-0000-4000-8000-{self._count:012x}"

    def _response(self, reply: Reply, headers: dict[str, str]) -> Response:
        request_id = self._request_id()
        told = [("request-id", request_id), ("client-request-id", headers.get("client-request-id", request_id))]
        text = "" if reply.body is None else ENCODE(reply.body)
        kind = None if reply.body is None else CONTENT_TYPE
        response = Response(text, reply.status, [*reply.headers.items(), *told], content_type=kind)
        if reply.body is None:
            response.headers.pop("Content-Type", None)
        return response


def _headers(request: Request) -> dict[str, str]:
    return {key[5:].replace("_", "-").lower(): value for key, value in request.environ.items() if key[:5] == "HTTP_"}


def _json_body(request: Request) -> Any:
    if not request.get_data():
        return None
    try:
        return json.loads(request.get_data())
    except ValueError as error:
        raise unreadable_body("Unable to read JSON request payload.") from error


def _as_reply(response: Response) -> Reply:
    text = response.get_data()
    body: Json | None = json.loads(text) if text else None
    return Reply(response.status_code, body, {k: v for k, v in response.headers.items() if k == "Retry-After"})
