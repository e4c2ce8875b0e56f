"""The app of rules and switches."""

from django.apps import AppConfig


class SyncrulesConfig(AppConfig):
    """Rules and switches."""

    name = "syncrules"
    verbose_name = "Rules and switches"
