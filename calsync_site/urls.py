"""Every address that CalSync answers to."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from calendars import own_pages, people_pages, webhooks
from calendars.activation_page import activate_sync
from calsync_site.health_page import health_page

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # one door for everybody

urlpatterns = [
    path("", own_pages.home, name="home"),
    path("mailboxes/<str:place>/link", own_pages.link, name="mailbox-link"),
    path("mailboxes/<str:place>/linked", own_pages.linked, name="mailbox-linked"),
    path("mailboxes/<str:place>/disconnect", own_pages.disconnect, name="mailbox-disconnect"),
    path("accounts/", include("accounts.urls")),
    path("admin/people/file", admin.site.admin_view(people_pages.people_file), name="people-file"),
    path("admin/people/export.csv", admin.site.admin_view(people_pages.people_export), name="people-export"),
    path("admin/calendars/activate", admin.site.admin_view(activate_sync), name="activate-sync"),
    path("admin/health", admin.site.admin_view(health_page), name="health"),
    path("admin/", admin.site.urls),
    path("hooks/graph", webhooks.graph, name="hook-graph"),
    path("hooks/google", webhooks.google, name="hook-google"),
]
