"""Answers of the sign-in's addresses that are ours."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse


def closed(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """A page of the sign-in library that this installation does not offer."""
    raise Http404
