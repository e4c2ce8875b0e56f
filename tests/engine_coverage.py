"""The engine's tests by themselves, without a database, and the floor under their branch coverage.

Run as ``python -m tests.engine_coverage``; fails when a test fails or when less than FLOOR per cent of the branches, or
of the statements, of ``calsync/engine`` were taken by ``tests/engine``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FLOOR = 95.0
NO_DJANGO = ["-p", "no:django", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestConfigWarning"]
"""Without its plugin nothing sets up Django: an engine test that needed rows or settings would fail here."""


def main(arguments: Sequence[str] = ()) -> int:
    """Run, measure, say what is missing; 0 when all is well. ``arguments`` go to pytest."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", *NO_DJANGO, "tests/engine", *arguments]
        measure = [
            "--cov=calsync.engine",
            "--cov-branch",
            "--cov-report=term:skip-covered",
            f"--cov-report=json:{report}",
        ]
        environment = dict(os.environ) | {"COVERAGE_FILE": str(Path(folder) / "coverage")}
        code = subprocess.run([*command, *measure], cwd=ROOT, env=environment, check=False).returncode
        if code:
            return code
        complaint = shortfall(json.loads(report.read_text())["totals"])
    print(complaint or f"The engine's coverage is above its floor of {FLOOR:g} %.", flush=True)
    return 1 if complaint else 0


def shortfall(totals: Mapping[str, Any]) -> str:
    """What is below the floor, in a sentence; '' when nothing is. ``totals`` as in coverage's JSON report."""
    shares = {
        "branches": 100.0 * totals["covered_branches"] / max(1, totals["num_branches"]),
        "statements": 100.0 * totals["covered_lines"] / max(1, totals["num_statements"]),
    }
    low = [f"{share:.1f} % of the {name}" for name, share in shares.items() if share < FLOOR]
    return f"tests/engine takes only {' and '.join(low)} of calsync/engine; the floor is {FLOOR:g} %." if low else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
