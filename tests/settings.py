"""The site's settings as the tests see them: nothing of this machine's own configuration reaches a test.

``CALSYNC_TEST_DATABASE_URL`` names the database (a PostgreSQL server that ``tests.run`` started); unset: SQLite.
"""

import os
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

OURS = ("CALSYNC_", "DJANGO_", "MICROSOFT_", "GOOGLE_", "DATABASE_URL", "REDIS_URL", "Q_CLUSTER_NAME")
VAR = Path(__file__).resolve().parent.parent / "var" / "tests"

for name in [name for name in os.environ if name.startswith(OURS)]:
    if not name.startswith("CALSYNC_TEST_") and name != "DJANGO_SETTINGS_MODULE":
        del os.environ[name]
os.environ["CALSYNC_VAR"] = str(VAR)
os.environ["DJANGO_SECRET_KEY"] = "for the tests only, never for a server that anybody can reach"
os.environ["CALSYNC_SEALING_KEYS"] = urlsafe_b64encode(sha256(b"for the tests only").digest()).decode()
if url := os.environ.get("CALSYNC_TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = url

from calsync_site.settings import *  # noqa: E402, F403  the environment has to be set before

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
