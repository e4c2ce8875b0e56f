"""The WSGI entry point for a web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "calsync_site.settings")
application = get_wsgi_application()

from calsync_site.keycheck import refuse_wrong_keys  # noqa: E402 - needs the apps, which are loaded just now

refuse_wrong_keys()
