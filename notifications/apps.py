"""The app of topics and messages."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Topics, messages and the inbox."""

    name = "notifications"
    verbose_name = "Notifications"
