#!/usr/bin/env python
"""Run CalSync's commands: ``manage.py help`` lists them."""

import os
import sys

from calsync_site.entry import run

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "calsync_site.settings")
    run(sys.argv)
