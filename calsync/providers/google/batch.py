"""Jobs that advance in step, so that the requests which several jobs need at one time travel in one batch.

A job is a generator: it yields the requests it needs next, is resumed with one answer (or error) per request, and
returns its result. What lives here: running them. What does not: any job.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from itertools import islice
from typing import TypeVar

from googleapiclient.http import HttpRequest

from calsync.providers.base import ProviderError
from calsync.providers.google.transport import Answer, Raw

Result = TypeVar("Result")
Job = Generator[Sequence[HttpRequest], list[Answer], Result]
Send = Callable[[Sequence[HttpRequest]], list[Answer]]


def run(jobs: Sequence[Job[Result]], send: Send) -> list[Result | ProviderError]:
    """Run every job to its end; its result, or the error that it did not catch, in the order of ``jobs``."""
    outcomes: dict[int, Result | ProviderError] = {}
    waiting: dict[int, Sequence[HttpRequest]] = {}

    def advance(number: int, answers: list[Answer] | None) -> None:
        try:
            job = jobs[number]
            waiting[number] = next(job) if answers is None else job.send(answers)
        except StopIteration as end:
            outcomes[number] = end.value
        except ProviderError as error:
            outcomes[number] = error

    for number in range(len(jobs)):
        advance(number, None)
    while waiting:
        asked, waiting = waiting, {}
        answers = iter(send([request for requests in asked.values() for request in requests]))
        for number, requests in asked.items():
            advance(number, list(islice(answers, len(requests))))
    return [outcomes[number] for number in range(len(jobs))]


def ask(request: HttpRequest) -> Job[Raw]:
    """One request within a job (``yield from``); raises its error."""
    (answer,) = yield [request]
    if isinstance(answer, ProviderError):
        raise answer
    return answer
