"""A simulator per test, and the two providers behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from werkzeug.wrappers import Request, Response

from calsync.providers.google.provider import GoogleProvider
from calsync.simulator.http import HttpServer
from calsync.simulator.server import Simulator
from tests.providers.google_script import ScriptedGoogle
from tests.providers.sides import GoogleSide, GraphSide, Side


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """The pretend Microsoft 365 and Google Workspace, empty; Google's answers are checked against its own schema."""
    with Simulator() as running:
        running.core.switches.validate_answers = True
        yield running


@pytest.fixture
def google(simulator: Simulator) -> GoogleSide:
    """Google Calendar with one mailbox."""
    return GoogleSide(simulator)


@pytest.fixture(params=[GoogleSide, GraphSide], ids=["google", "graph"])
def side(request: pytest.FixtureRequest, simulator: Simulator) -> Side:
    """Either provider with one mailbox."""
    return request.param(simulator)


@pytest.fixture
def hook_url() -> Iterator[str]:
    """A listener that takes notifications and answers Graph's validation request."""

    def answer(request: Request) -> Response:
        return Response(request.args.get("validationToken", ""), mimetype="text/plain")

    server = HttpServer(answer, port=0)
    server.start()
    yield f"http://127.0.0.1:{server.port}/hook"
    server.stop()


@pytest.fixture
def script() -> Iterator[ScriptedGoogle]:
    """A Google that answers what the test scripts."""
    google = ScriptedGoogle()
    google.server.start()
    yield google
    google.server.stop()


@pytest.fixture
def provider(script: ScriptedGoogle) -> GoogleProvider:
    """The adapter in front of ``script``."""
    return script.provider()
