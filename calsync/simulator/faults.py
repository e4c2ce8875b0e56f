"""Carries out one request as planned: a fault may delay, refuse, drop or lose it; then the ledger gets its line.

The server calls this for every HTTP request; a provider's batch calls it again for every part (``inner=True``).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.wrappers import Response

from calsync.simulator.core import Call, Core, Fault, FaultUse


class ConnectionDropped(Exception):
    """The connection ends here: without an answer, or within the body of ``begun``."""

    def __init__(self, begun: Response | None = None) -> None:
        super().__init__()
        self.begun = begun


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request as faults and the ledger see it. ``path`` includes the query."""

    provider: str
    method: str
    path: str
    mailbox: str = ""
    inner: bool = False


def carry_out(core: Core, arrival: Arrival, act: Callable[[], Response]) -> Response:
    """Answer the request by ``act``, unless a planned fault says otherwise. Raises ConnectionDropped."""
    fault = _next_fault(core, arrival)
    if fault is None:
        return _recorded(core, arrival, act())
    if fault.kind == "delay":
        time.sleep(fault.seconds)
        return _recorded(core, arrival, act())
    if fault.kind == "status":
        return _recorded(core, arrival, planned_answer(fault))
    if fault.kind == "half_answer":
        raise ConnectionDropped(_recorded(core, arrival, act()))
    if fault.kind == "lose_answer":
        _recorded(core, arrival, act())
    else:
        record(core, arrival, status=0)
    raise ConnectionDropped


def planned_answer(fault: Fault) -> Response:
    """The answer a ``status`` fault asks for."""
    body = b"" if fault.body is None else json.dumps(fault.body).encode()
    return Response(body, status=fault.status, headers=dict(fault.headers), mimetype="application/json")


def record(core: Core, arrival: Arrival, *, status: int) -> None:
    """Write one request into the ledger; status 0 means that it was never answered."""
    with core.lock:
        call = Call(
            core.clock.now(), arrival.provider, arrival.method, arrival.path, arrival.mailbox, status, arrival.inner
        )
        core.ledger.add(call)
        for hook in core.on_call:
            hook(call)


def _recorded(core: Core, arrival: Arrival, response: Response) -> Response:
    record(core, arrival, status=response.status_code)
    return response


def _next_fault(core: Core, arrival: Arrival) -> Fault | None:
    if not core.faults:
        return None
    with core.lock:
        for fault in core.faults:
            if _matches(fault, arrival) and _is_its_turn(core, fault):
                return fault
    return None


def _matches(fault: Fault, arrival: Arrival) -> bool:
    return (
        fault.provider in ("", arrival.provider)
        and fault.method in ("", arrival.method)
        and fault.mailbox.lower() in ("", arrival.mailbox.lower())
        and (not fault.path or re.search(fault.path, arrival.path) is not None)
    )


def _is_its_turn(core: Core, fault: Fault) -> bool:
    use = core.fault_uses.get(id(fault))
    if use is None or use.fault is not fault:
        use = core.fault_uses[id(fault)] = FaultUse(fault)
    use.seen += 1
    return fault.skip < use.seen <= fault.skip + fault.times
