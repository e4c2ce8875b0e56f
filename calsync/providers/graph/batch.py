"""Many requests in one round trip: ``POST /$batch``, at most 20 parts.

What lives here: dividing, sending, and putting answers back in order. A throttled part (an inner 429 within an outer
200) was not carried out, so it is sent again, in smaller portions, as long as others get through; the rest is told.
The client remembers that it was throttled: its batches are small for a while.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence

from calsync.providers.base import ProviderError, RateLimited, Transient
from calsync.providers.graph.client import Answer, GraphClient, Request, insensitive

BYTES = 3_000_000  # Graph takes about 4 MB
PATIENCE = 1.0  # seconds that one call may wait for throttled parts in all
READING_PATIENCE = 15.0
"""The same for reads: one missing answer spoils a whole round, and the next round would be throttled just so."""

Outcome = Answer | ProviderError


def send_all(
    client: GraphClient, requests: Sequence[Request], *, chained: bool = False, patience: float = PATIENCE
) -> list[Outcome]:
    """One outcome per request, in order; a single one travels plainly.

    ``chained`` carries them out strictly one after the other, stopping at the first that fails. ``patience`` is how
    many seconds throttled parts are waited for.
    """
    if not requests:
        return []
    if len(requests) == 1:
        return [_plain(client, requests[0])]
    outcomes: dict[int, Outcome] = {}
    left = list(range(len(requests)))
    while left:
        for chunk in _chunks(left, requests, client.batch_parts):
            outcomes.update(_send_chunk(client, {index: requests[index] for index in chunk}, chained=chained))
        throttled = [] if chained else [index for index in left if _is_throttled(outcomes[index])]
        wait = max((_wait(outcomes[index]) for index in throttled), default=0.0)
        if throttled:
            client.be_cautious()
        if len(throttled) == len(left) or wait > patience:
            break
        time.sleep(wait)
        left, patience = throttled, patience - wait
    return [outcomes[index] for index in range(len(requests))]


def read_all(client: GraphClient, requests: Sequence[Request]) -> list[Answer]:
    """As ``send_all`` for reads, whose callers cannot go on without each of them: raises what stands in the way.

    Answers that say "this one is not there" or "not in this form" (4xx other than throttling) are returned.
    """
    answers = []
    for outcome in send_all(client, requests, patience=READING_PATIENCE):
        error = outcome if isinstance(outcome, ProviderError) else outcome.error
        if isinstance(error, Transient) or isinstance(outcome, ProviderError):
            raise error or Transient("Microsoft Graph left a part of a batch unanswered.")
        answers.append(outcome)
    return answers


def _plain(client: GraphClient, request: Request) -> Outcome:
    try:
        return client.send(request)
    except ProviderError as error:
        return error


def _chunks(indexes: Sequence[int], requests: Sequence[Request], parts: int) -> Iterator[list[int]]:
    chunk: list[int] = []
    size = 0
    for index in indexes:
        weight = len(json.dumps(requests[index].body)) + 500
        if chunk and (len(chunk) == parts or size + weight > BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(index)
        size += weight
    yield chunk


def _send_chunk(client: GraphClient, parts: dict[int, Request], *, chained: bool) -> dict[int, Outcome]:
    label = "batch of reads" if all(part.method == "GET" for part in parts.values()) else "batch"
    try:
        answer = client.send(Request("POST", "/$batch", body={"requests": _envelope(parts, chained)}, label=label))
    except ProviderError as error:
        return dict.fromkeys(parts, error)
    if answer.error is not None:
        return dict.fromkeys(parts, answer.error)
    return _opened(answer, parts)


def _envelope(parts: dict[int, Request], chained: bool) -> list[dict[str, object]]:
    """The inner requests; Prefer headers do not carry over from the outer one."""
    inner: list[dict[str, object]] = []
    for index, part in parts.items():
        entry: dict[str, object] = {
            "id": str(index + 1),
            "method": part.method,
            "url": part.url,
            "headers": part.all_headers,
        }
        if part.body is not None:
            entry["body"] = part.body
        if chained and inner:
            entry["dependsOn"] = [inner[-1]["id"]]
        inner.append(entry)
    return inner


def _opened(answer: Answer, parts: dict[int, Request]) -> dict[int, Outcome]:
    """The inner answers by index; they come in any order."""
    lost = Transient("Microsoft Graph left a part of a batch unanswered.", status=answer.status)
    outcomes: dict[int, Outcome] = dict.fromkeys(parts, lost)
    responses = answer.body.get("responses")
    for inner in responses if isinstance(responses, list) else []:
        index = _index(inner.get("id"))
        if index in outcomes:
            body = inner.get("body")
            status = int(inner.get("status") or 0)
            outcomes[index] = Answer(status, insensitive(inner.get("headers")), body if isinstance(body, dict) else {})
    return outcomes


def _index(value: object) -> int:
    text = str(value)
    return int(text) - 1 if text.isdigit() else -1


def _is_throttled(outcome: Outcome) -> bool:
    return isinstance(outcome, Answer) and isinstance(outcome.error, RateLimited)


def _wait(outcome: Outcome) -> float:
    error = outcome.error if isinstance(outcome, Answer) else outcome
    return error.retry_after or 0.0 if error else 0.0
