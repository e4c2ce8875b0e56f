"""The control room under ``/_sim/``: what a test, a demonstration or a benchmark may ask and order from outside.

Answers are JSON, the mapping file is CSV. Nothing here exists at a real provider. There is no log-in: the simulator
listens on loopback only.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import timedelta
from typing import Any

from werkzeug.wrappers import Request, Response

from calsync.simulator.company import Company, seed
from calsync.simulator.core import Core, Fault, Switches
from calsync.simulator.google.oauth import service_account_info
from calsync.simulator.google.store import GoogleStore
from calsync.simulator.graph.store import GraphStore
from calsync.simulator.people import People

Json = dict[str, Any]  # a JSON document


class Misunderstood(Exception):
    """The order makes no sense; the text says why. Answered with 400."""


class Control:
    """Answers ``/_sim/`` over the state of one simulator."""

    def __init__(self, core: Core, graph: GraphStore, google: GoogleStore) -> None:
        self.core = core
        self.graph = graph
        self.google = google
        self._people: tuple[Company, People] | None = None
        self._routes: dict[tuple[str, str], Callable[[Request], Json | list[Any] | Response]] = {
            ("GET", "state"): self._state,
            ("GET", "outbox"): self._outbox,
            ("POST", "outbox/clear"): self._clear_outbox,
            ("GET", "ledger"): self._ledger,
            ("POST", "ledger/clear"): self._clear_ledger,
            ("POST", "company"): self._seed,
            ("GET", "company.csv"): self._company_csv,
            ("POST", "act"): self._act,
            ("POST", "faults"): self._faults,
            ("POST", "switches"): self._switches,
            ("POST", "expire"): self._expire,
            ("POST", "clock"): self._clock,
            ("POST", "revoke"): self._revoke,
            ("GET", "service-account.json"): self._service_account,
        }

    def handle(self, request: Request) -> Response | None:
        """Answer the request; None when the path is not the control room's."""
        if not request.path.startswith("/_sim/"):
            return None
        handler = self._routes.get((request.method, request.path.removeprefix("/_sim/")))
        if handler is None:
            return _json({"error": f"nothing at {request.method} {request.path}"}, status=404)
        try:
            answer = handler(request)
        except Misunderstood as error:
            return _json({"error": str(error)}, status=400)
        return answer if isinstance(answer, Response) else _json(answer)

    def _state(self, _: Request) -> Json:
        with self.core.lock:
            google = {
                address: sum(not record.cancelled for record in calendar.rows if record.master is None)
                for address, calendar in self.google.calendars.items()
            }
            graph = {
                address: sum(len(calendar.events) for calendar in mailbox.calendars.values())
                for address, mailbox in self.graph.mailboxes.items()
            }
            return {
                "graph": {"mailboxes": len(graph), "events": sum(graph.values()), "by_mailbox": graph},
                "google": {
                    "mailboxes": len(self.google.users),
                    "events": sum(google.values()),
                    "by_mailbox": google,
                    "channels": len(self.google.channels.live),
                },
                "outbox": len(self.core.outbox),
                "calls": sum(self.core.ledger.counts.values()),
                "notifications_idle": self.core.notifier.idle(),
                "now": self.core.clock.now().isoformat(),
            }

    def _outbox(self, _: Request) -> Json:
        with self.core.lock:
            return {"mails": [asdict(mail) for mail in self.core.outbox]}

    def _clear_outbox(self, _: Request) -> Json:
        with self.core.lock:
            self.core.outbox.clear()
        return {}

    def _ledger(self, request: Request) -> Json:
        """Counts by provider and method; ``?calls=1`` adds the calls themselves."""
        with self.core.lock:
            answer: Json = {
                "counts": dict(self.core.ledger.counts),
                "writes": sum(call.is_write for call in self.core.ledger.calls),
            }
            if request.args.get("calls"):
                answer["calls"] = [asdict(call) for call in self.core.ledger.calls]
            return answer

    def _clear_ledger(self, _: Request) -> Json:
        with self.core.lock:
            self.core.ledger.clear()
        return {}

    def _seed(self, request: Request) -> Json:
        """``{people, events, seed}`` -> ``{csv, google_admin, people, events}``; once per simulator."""
        if self.core.company is not None:
            raise Misunderstood("this simulator holds a company already")
        wanted = _body(request)
        numbers = {name: _number(wanted, name, default) for name, default in COMPANY.items()}
        company = seed(self, people=numbers["people"], events=numbers["events"], seed=numbers["seed"])
        return {
            "csv": company.csv(),
            "google_admin": company.google_admin,
            "people": len(company.people),
            "events": company.events,
        }

    def _company(self) -> Company:
        if not isinstance(self.core.company, Company):
            raise Misunderstood("there is no company yet: POST /_sim/company first")
        return self.core.company

    def _company_csv(self, _: Request) -> Response:
        return Response(self._company().csv(), content_type="text/csv; charset=utf-8")

    def _act(self, request: Request) -> Json:
        """``{times}`` edits by random people; answers what was done, without event text."""
        company = self._company()
        if self._people is None or self._people[0] is not company:
            self._people = (company, People(company, self))
        acts = [self._people[1].act() for _ in range(_number(_body(request), "times", 1))]
        return {"acts": [asdict(act) for act in acts if act is not None]}

    def _faults(self, request: Request) -> Json:
        """``{faults: [...], clear: bool}``: replace or add planned faults, fields as in ``core.Fault``."""
        wanted = _body(request)
        try:
            faults = [Fault(**fault) for fault in wanted.get("faults", [])]
        except TypeError as error:
            raise Misunderstood(f"faults: {error}") from error
        with self.core.lock:
            if wanted.get("clear"):
                self.core.faults.clear()
            self.core.faults.extend(faults)
            return {"faults": len(self.core.faults)}

    def _switches(self, request: Request) -> Json:
        """Set any of ``core.Switches``; answers all of them."""
        names = {field.name for field in fields(Switches)}
        wanted = _body(request)
        if unknown := sorted(wanted.keys() - names):
            raise Misunderstood(f"unknown switches: {', '.join(unknown)}")
        for name, value in wanted.items():
            if not _is_like(value, getattr(self.core.switches, name)):
                raise Misunderstood(f"{name} takes a {type(getattr(self.core.switches, name)).__name__}")
        with self.core.lock:
            for name, value in wanted.items():
                setattr(self.core.switches, name, value)
        return asdict(self.core.switches)

    def _expire(self, _: Request) -> Json:
        """Make every sync and delta token handed out so far answer 410."""
        self.google.expire_sync_tokens()
        for mailbox in list(self.graph.mailboxes.values()):
            for calendar_id in list(mailbox.calendars):
                self.graph.expire_delta_tokens(mailbox.address, calendar_id)
        return {}

    def _clock(self, request: Request) -> Json:
        """``{seconds}``: move the simulated time forward."""
        self.core.clock.advance(timedelta(seconds=_number(_body(request), "seconds", 0)))
        return {"now": self.core.clock.now().isoformat()}

    def _revoke(self, request: Request) -> Json:
        """``{address}``: that person takes back what they granted, on both platforms."""
        address = str(_body(request).get("address", ""))
        with self.core.lock:
            self.google.tokens.revoke(address)
            self.graph.login.consents.revoke(address)
        return {}

    def _service_account(self, request: Request) -> Response:
        return _json(service_account_info(request.host_url.rstrip("/")))


COMPANY = {"people": 40, "events": 1000, "seed": 1}


def _is_like(value: object, present: object) -> bool:
    """Whether a switch may take this value: same kind, whole numbers for decimal ones too."""
    if isinstance(present, bool) or isinstance(value, bool):
        return isinstance(present, bool) and isinstance(value, bool)
    return isinstance(value, type(present)) or (isinstance(present, float) and isinstance(value, int))


def _number(wanted: Json, name: str, default: int) -> int:
    value = wanted.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Misunderstood(f"{name} takes a whole number")
    return value


def _body(request: Request) -> Json:
    raw = request.get_data()
    try:
        body = json.loads(raw or b"{}")
    except ValueError as error:
        raise Misunderstood("the body is no JSON") from error
    if not isinstance(body, dict):
        raise Misunderstood("the body is no JSON object")
    return body


def _json(body: Any, *, status: int = 200) -> Response:
    return Response(json.dumps(body, default=str), status=status, content_type="application/json; charset=utf-8")
