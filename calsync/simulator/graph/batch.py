"""``$batch``: at most 20 parts, dependsOn with 424, refusals inside an outer 200, answers in any order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from calsync.simulator.graph.errors import GraphError, Json, bad_request
from calsync.simulator.graph.requests import Reply

MAX_PARTS = 20
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
AT_A_TIME = 4  # Graph feeds Outlook four parts of a batch at a time, one when parts depend on each other


@dataclass(frozen=True, slots=True)
class Part:
    """One request of a batch; ``url`` from ``/v1.0`` on, ``headers`` lower-case."""

    id: str
    method: str
    url: str
    headers: dict[str, str]
    body: Any
    depends_on: tuple[str, ...]


def read_parts(body: Any) -> list[Part]:
    """The parts of a batch request; raises GraphError 400 when the batch is malformed."""
    sent = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(sent, list) or not sent:
        raise bad_request("Invalid batch payload format.")
    if len(sent) > MAX_PARTS:
        raise bad_request(f"Number of batch request steps exceeds the maximum value of {MAX_PARTS}.")
    parts: list[Part] = []
    for one in sent:
        parts.append(_part(one, {part.id for part in parts}))
    return parts


def _part(sent: Any, before: set[str]) -> Part:
    if not isinstance(sent, dict) or not isinstance(sent.get("id"), str) or not isinstance(sent.get("url"), str):
        raise bad_request("Invalid batch payload format.")
    method, name = str(sent.get("method", "")).upper(), sent["id"]
    if method not in METHODS or name in before:
        raise bad_request(f"The batch request step '{name}' is not valid.")
    depends = sent.get("dependsOn") or []
    if not isinstance(depends, list) or not set(depends) <= before:
        raise bad_request(f"The batch request step '{name}' depends on a step that does not precede it.")
    headers = {str(key).lower(): str(value) for key, value in (sent.get("headers") or {}).items()}
    if sent.get("body") is not None and "content-type" not in headers:
        raise bad_request(f"The batch request step '{name}' has a body but no Content-Type header.")
    return Part(name, method, "/v1.0/" + sent["url"].lstrip("/"), headers, sent.get("body"), tuple(depends))


def width(parts: list[Part]) -> int:
    """How many parts run at a time."""
    return 1 if any(part.depends_on for part in parts) else AT_A_TIME


def run(parts: list[Part], answer: Callable[[Part], Reply]) -> Reply:
    """Answer every part; a part whose parent failed is answered 424."""
    done: dict[str, Reply] = {}
    for part in parts:
        failed = any(done[name].status >= 400 for name in part.depends_on)
        done[part.id] = _failed_dependency() if failed else answer(part)
    responses = [_wrapped(name, reply) for name, reply in done.items()]
    return Reply(200, {"responses": responses[1::2] + responses[::2]})  # the order of answers is not the requests'


def _failed_dependency() -> Reply:
    error = GraphError(424, "FailedDependency", "The request failed because a request it depends on failed.")
    return Reply(424, {"error": {"code": error.code, "message": error.message}})


def _wrapped(name: str, reply: Reply) -> Json:
    headers = dict(reply.headers)
    if reply.body is not None:
        headers["Content-Type"] = "application/json"
    return {"id": name, "status": reply.status, "headers": headers, "body": reply.body}
