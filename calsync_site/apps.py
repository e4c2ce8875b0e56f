"""The site as a Django app: it carries system checks, the workers' signs of life and the commands that cross apps."""

import sys

from django.apps import AppConfig

from calsync_site import checks  # noqa: F401 - registers the system checks


class SiteConfig(AppConfig):
    """Settings, checks and the commands that cross apps."""

    name = "calsync_site"
    verbose_name = "CalSync"

    def ready(self) -> None:
        """Let the queue's processes show signs of life, and the audit trail know who runs a command."""
        from accounts.trail import begin_process
        from calsync_site import signs  # noqa: F401 - needs models, which are not loaded before this moment
        from calsync_site.actors import actor_of_process

        if actor := actor_of_process(sys.argv):
            begin_process(actor)
