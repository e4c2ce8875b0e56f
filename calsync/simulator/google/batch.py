"""multipart/mixed batches: at most 50 calls, each with a status, a fault and a ledger row of its own.

The answer to a part named ``<x>`` is named ``<response-x>``; the Python client splits an inner answer at its first
empty line, so that line is always there.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from http import HTTPStatus

from werkzeug.wrappers import Response

from calsync.simulator.core import Core
from calsync.simulator.faults import Arrival, carry_out
from calsync.simulator.google.calls import Answer, Asked, encoded
from calsync.simulator.google.errors import Refusal, bad_request

MOST_CALLS = 50
BOUNDARY = re.compile(r'boundary="?([^";]+)"?')


def answer(core: Core, asked: Asked, call: Callable[[Asked], Answer], mailbox_of: Callable[[Asked], str]) -> Response:
    """Answer a whole batch."""
    try:
        parts = _split(asked)
    except Refusal as refusal:
        return Response(encoded(refusal.body()), status=refusal.code, content_type="application/json; charset=UTF-8")
    boundary = f"batch_{secrets.token_urlsafe(16)}"
    out = bytearray()
    for content_id, part in parts:
        out += f"--{boundary}\r\nContent-Type: application/http\r\n".encode()
        if content_id:
            out += f"Content-ID: {_echo(content_id)}\r\n".encode()
        out += b"\r\n" + _one(core, part, call, mailbox_of(part)) + b"\r\n"
    out += f"--{boundary}--\r\n".encode()
    return Response(bytes(out), status=200, content_type=f"multipart/mixed; boundary={boundary}")


def _echo(content_id: str) -> str:
    return f"<response-{content_id[1:]}" if content_id.startswith("<") else f"response-{content_id}"


def _split(asked: Asked) -> list[tuple[str, Asked]]:
    """The parts as (Content-ID, request)."""
    named = BOUNDARY.search(asked.headers.get("content-type", ""))
    if not named:
        raise bad_request("Missing multipart boundary in request header.")
    chunks = asked.body.replace(b"\r\n", b"\n").split(b"--" + named.group(1).encode())[1:-1]
    if len(chunks) > MOST_CALLS:
        raise bad_request(f"The batch request contains more than {MOST_CALLS} calls.")
    if not chunks:
        raise bad_request("Failed to parse batch request, error: no parts.")
    return [_part(chunk, asked) for chunk in chunks]


def _part(chunk: bytes, outer: Asked) -> tuple[str, Asked]:
    outer_head, _, inner = chunk.lstrip(b"\n").partition(b"\n\n")
    head, _, body = inner.partition(b"\n\n")
    line, *lines = head.decode().split("\n")
    words = line.split(" ")
    if len(words) != 3:
        raise bad_request("Failed to parse batch request, error: malformed request line.")
    headers = {key: value for key, value in outer.headers.items() if key == "authorization"} | _headers(lines)
    path, _, query = re.sub(r"^https?://[^/]+", "", words[1]).partition("?")
    content_id = _headers(outer_head.decode().split("\n")).get("content-id", "")
    return content_id, Asked(words[0], path, query, headers, body.rstrip(b"\n"))


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, value in pairs}


def _one(core: Core, part: Asked, call: Callable[[Asked], Answer], mailbox: str) -> bytes:
    """One part carried out. A planned loss of the connection loses the whole answer: ConnectionDropped goes up."""
    path = part.path + (f"?{part.query}" if part.query else "")

    def act() -> Response:
        done = call(part)
        headers = {"ETag": done.etag} if done.etag else {}
        return Response(done.body, status=done.status, headers=headers, content_type="application/json; charset=UTF-8")

    return _rendered(carry_out(core, Arrival("google", part.method, path, mailbox, inner=True), act))


def _rendered(response: Response) -> bytes:
    body = response.get_data()
    phrase = HTTPStatus(response.status_code).phrase
    lines = [f"HTTP/1.1 {response.status_code} {phrase}"]
    lines += [f"{name}: {value}" for name, value in response.headers if name.lower() != "content-length"]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
