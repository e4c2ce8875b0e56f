"""Trouble at the providers, by name: what a step may ask for. All of it passes by itself."""

from __future__ import annotations

from calsync.simulator.core import Fault, Switches


def _google_error(status: int, reason: str, domain: str = "usageLimits") -> dict[str, object]:
    return {"error": {"code": status, "message": reason, "errors": [{"domain": domain, "reason": reason}]}}


def _graph_error(code: str) -> dict[str, object]:
    return {"error": {"code": code, "message": code}}


TROUBLE: dict[str, dict[str, object]] = {
    "graph throttled": {"provider": "graph", "kind": "status", "status": 429, "headers": {"Retry-After": "3"}},
    "graph throttled long": {"provider": "graph", "kind": "status", "status": 429, "headers": {"Retry-After": "90"}},
    "graph throttled without a hint": {"provider": "graph", "kind": "status", "status": 429},
    "graph unavailable": {"provider": "graph", "kind": "status", "status": 503, "headers": {"Retry-After": "2"}},
    "graph broken": {"provider": "graph", "kind": "status", "status": 500, "body": _graph_error("InternalServerError")},
    "graph bad gateway": {"provider": "graph", "kind": "status", "status": 502},
    "graph token refused": {
        "provider": "graph", "kind": "status", "status": 401, "body": _graph_error("InvalidAuthenticationToken"),
    },
    "graph loses the answer": {"provider": "graph", "kind": "lose_answer"},
    "graph drops the request": {"provider": "graph", "kind": "drop"},
    "google throttled": {
        "provider": "google", "kind": "status", "status": 403, "body": _google_error(403, "rateLimitExceeded"),
    },
    "google too many": {
        "provider": "google", "kind": "status", "status": 429, "body": _google_error(429, "rateLimitExceeded"),
    },
    "google quota used up": {
        "provider": "google", "kind": "status", "status": 403, "body": _google_error(403, "quotaExceeded"),
    },
    "google unavailable": {
        "provider": "google", "kind": "status", "status": 503, "body": _google_error(503, "backendError", "global"),
    },
    "google broken": {"provider": "google", "kind": "status", "status": 500},
    "google loses the answer": {"provider": "google", "kind": "lose_answer"},
    "google drops the request": {"provider": "google", "kind": "drop"},
    "microsoft login down": {"provider": "microsoft_login", "kind": "status", "status": 503},
    "google login down": {"provider": "google_token", "kind": "status", "status": 503},
}  # fmt: skip

HABITS: dict[str, dict[str, bool]] = {
    "usual": {},
    "exceptions refused in one request": {"graph_expand_exceptions_refused": True},
    "empty pages": {"graph_delta_empty_pages": True},
    "repeated items": {"graph_delta_repeats_items": True},
    "whole exceptions in a delta": {"graph_delta_exceptions_are_stubs": False},
    "reshaping keeps exceptions": {"graph_reshape_wipes_exceptions": False},
    "a duplicate create answers with the event": {"graph_duplicate_transaction_answers_400": False},
    "zones by their usual names": {"graph_projects_windows_names": False},
    "occurrences have versions of their own": {"google_series_share_one_version": False},
    "an idle patch keeps the version": {"google_idle_patch_keeps_version": True},
}
"""Behaviours of the providers that the sources leave open: one for each run."""


def trouble(name: str, *, method: str = "", times: int = 1, skip: int = 0) -> Fault:
    """A planned fault. ``method``: '' matches any request."""
    return Fault(method=method, times=times, skip=skip, **TROUBLE[name])  # type: ignore[arg-type]  # a table of fields


def take_up(habit: str, switches: Switches) -> None:
    """Let the providers behave in this way."""
    for name, value in HABITS[habit].items():
        setattr(switches, name, value)
