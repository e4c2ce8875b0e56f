"""The app of cases."""

from django.apps import AppConfig


class ConflictsConfig(AppConfig):
    """Cases that a person must see or decide."""

    name = "conflicts"
    verbose_name = "Cases"

    def ready(self) -> None:
        """Listen for news from below."""
        from conflicts import receivers  # noqa: F401 - needs the models, which are not loaded before this moment
