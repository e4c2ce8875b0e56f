"""``make soak``: an hour of the state machine. A failure prints its seed and the steps, ready for ``test_found``.

``MINUTES`` says how long, ``SEED`` where to begin: the same seed gives the same runs.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

from tests.run import clean

ROOT = Path(__file__).resolve().parent.parent.parent
RUN = ["-m", "pytest", "-q", "-s", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "tests/soak/long_run.py"]


def main() -> int:
    """Run until the time is over or something is found; 0 when nothing was."""
    number = os.environ.get("SEED") or str(secrets.randbelow(1_000_000_000))
    minutes = os.environ.get("MINUTES") or "60"
    print(
        f"Soaking for {minutes} min and until the run then under way has ended, beginning with SEED={number}.",
        flush=True,
    )
    environment = clean(os.environ) | {"CALSYNC_TEST_SOAK_SEED": number, "CALSYNC_TEST_SOAK_MINUTES": minutes}
    code = subprocess.run([sys.executable, *RUN], cwd=ROOT, env=environment, check=False).returncode
    if code:
        print(
            "Found something. The seed of the batch is the last one above; SEED=that MINUTES=1 make soak repeats it.\n"
            "The steps under 'Falsifying example' go into a test in tests/soak/test_found.py as they stand.",
            flush=True,
        )
    return code


if __name__ == "__main__":
    sys.exit(main())
