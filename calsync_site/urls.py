"""Every address that CalSync answers to."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from calendars import people_pages, webhooks

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/people/file", admin.site.admin_view(people_pages.people_file), name="people-file"),
    path("admin/people/export.csv", admin.site.admin_view(people_pages.people_export), name="people-export"),
    path("admin/", admin.site.urls),
    path("hooks/graph", webhooks.graph, name="hook-graph"),
    path("hooks/google", webhooks.google, name="hook-google"),
]
