"""The HTTP face of the pretend Google: Calendar v3, its batch path, Directory and the token endpoint."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote

from werkzeug.wrappers import Request, Response

from calsync.simulator.core import Core
from calsync.simulator.google import batch, calls, consent, directory
from calsync.simulator.google.calls import SERVICE, Answer, Asked, encoded
from calsync.simulator.google.errors import Refusal
from calsync.simulator.google.oauth import TokenRefused
from calsync.simulator.google.store import GoogleStore

BATCH = "/batch/calendar/v3"
DIRECTORY = "/admin/directory/v1/"
JSON = "application/json; charset=UTF-8"


class GoogleApi:
    """Routes Google's paths. ``store`` and ``tokens`` are the state behind them."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.store = GoogleStore(core)
        self.tokens = self.store.tokens

    def handle(self, request: Request) -> Response | None:
        """Answer the request; None when the path is not Google's."""
        path = request.path
        if path.startswith(SERVICE):
            return _json(self.call(_asked(request)))
        if path.startswith(BATCH) and request.method == "POST":
            return batch.answer(self.core, _asked(request), self.call, self._mailbox)
        if path.startswith(DIRECTORY):
            return _json(self._directory(_asked(request)))
        if path == "/token" and request.method == "POST":
            return self._token(request)
        with self.core.lock:
            return consent.answer(request, self.tokens, self._people())

    def call(self, asked: Asked) -> Answer:
        """Answer one Calendar call."""
        return calls.answer(self.store, self.tokens, asked)

    def mailbox_of(self, request: Request) -> str:
        """Whose mailbox a request is about: the calendar in its path, else the caller."""
        environ = request.environ
        path = str(environ.get("RAW_URI") or request.path).partition("?")[0]
        return self._mailbox(Asked("", path, "", {"authorization": environ.get("HTTP_AUTHORIZATION", "")}))

    def _mailbox(self, asked: Asked) -> str:
        words = asked.path.removeprefix(SERVICE).split("/")
        if words[0] == "calendars" and len(words) > 1 and words[1] != "primary":
            return unquote(words[1]).lower()
        grant = self.tokens.grant_of(asked.headers.get("authorization", ""))
        return grant.user if grant else ""

    def _directory(self, asked: Asked) -> Answer:
        try:
            grant = calls.authorised(self.tokens, asked.headers)
            segments = [unquote(word) for word in asked.path.removeprefix(DIRECTORY).split("/")]
            with self.core.lock:
                body = directory.answer(self.store, segments, dict(parse_qsl(asked.query)), grant)
        except Refusal as refusal:
            return Answer(refusal.code, encoded(refusal.body()))
        return Answer(200, encoded(body))

    def _people(self) -> set[str]:
        return {user.address for user in self.store.users.values() if not user.suspended}

    def _token(self, request: Request) -> Response:
        try:
            with self.core.lock:
                body = self.tokens.answer(request.form.to_dict(), own_url=request.base_url, users=self._people())
        except TokenRefused as refused:
            return Response(encoded(refused.body()), status=refused.code, content_type=JSON)
        return Response(encoded(body), content_type=JSON)


def _asked(request: Request) -> Asked:
    environ = request.environ
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    path, _, _ = str(environ.get("RAW_URI") or request.path).partition("?")
    return Asked(request.method, path, environ.get("QUERY_STRING", ""), headers, request.get_data(cache=False))


def _json(answer: Answer) -> Response:
    headers = {"ETag": answer.etag} if answer.etag else {}
    if answer.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="https://accounts.google.com/"'
    return Response(answer.body, status=answer.status, headers=headers, content_type=JSON)
