"""Every address that CalSync answers to."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from accounts.views import home
from calendars import webhooks

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # one door for everybody

urlpatterns = [
    path("", home, name="home"),
    path("accounts/", include("accounts.urls")),
    path("admin/", admin.site.urls),
    path("hooks/graph", webhooks.graph, name="hook-graph"),
    path("hooks/google", webhooks.google, name="hook-google"),
]
