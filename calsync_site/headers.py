"""The content security policy: strict for our own pages, relaxed under the console as far as its theme needs it."""

from __future__ import annotations

from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

CONSOLE = {"script-src": ["'self'", "'unsafe-inline'", "'unsafe-eval'"], "style-src": ["'self'", "'unsafe-inline'"]}
"""Alpine, which the theme is built on, evaluates the expressions in its attributes."""


class PolicyMiddleware(CSPMiddleware):
    """django-csp with one exception, for the console."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """The policy of this answer."""
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and request.path.startswith(reverse("admin:index")):
            parts.replace = CONSOLE
        return parts
