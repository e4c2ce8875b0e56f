"""Every address that CalSync answers to."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from calendars import webhooks

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", admin.site.urls),
    path("hooks/graph", webhooks.graph, name="hook-graph"),
    path("hooks/google", webhooks.google, name="hook-google"),
]
