"""Every address that CalSync answers to."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from accounts.views import home
from calendars import people_pages, webhooks
from calsync_site.health_page import health_page

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # one door for everybody

urlpatterns = [
    path("", home, name="home"),
    path("accounts/", include("accounts.urls")),
    path("admin/people/file", admin.site.admin_view(people_pages.people_file), name="people-file"),
    path("admin/people/export.csv", admin.site.admin_view(people_pages.people_export), name="people-export"),
    path("admin/health", admin.site.admin_view(health_page), name="health"),
    path("admin/", admin.site.urls),
    path("hooks/graph", webhooks.graph, name="hook-graph"),
    path("hooks/google", webhooks.google, name="hook-google"),
]
