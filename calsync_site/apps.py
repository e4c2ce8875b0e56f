"""The site as a Django app: it carries system checks, the workers' signs of life and the commands that cross apps."""

from django.apps import AppConfig

from calsync_site import checks  # noqa: F401 - registers the system checks


class SiteConfig(AppConfig):
    """Settings, checks and the commands that cross apps."""

    name = "calsync_site"
    verbose_name = "CalSync"

    def ready(self) -> None:
        """Let the queue's processes show signs of life."""
        from calsync_site import signs  # noqa: F401 - needs models, which are not loaded before this moment
