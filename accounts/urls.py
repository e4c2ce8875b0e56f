"""Addresses of sign-in. What lets people make, merge or rename accounts by themselves is closed."""

from __future__ import annotations

from django.urls import include, path, re_path

from accounts import views

CLOSED = r"^(?:signup|email|confirm-email|password|login/code|social|3rdparty/(?!login/))"

urlpatterns = [re_path(CLOSED, views.closed), path("", include("allauth.urls"))]
