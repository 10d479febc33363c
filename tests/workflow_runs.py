"""Run the workflow as a user does, on a copy or from another folder."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TINY = ROOT / "tests/config/tiny.yaml"


def snakemake(*arguments, folder=None, root=ROOT):
    """Run Snakemake on the project in `root`, in `folder`, and return what it did and said."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", root / "Snakefile", *arguments]
    environment = {**os.environ, "COLUMNS": "200"}
    finished = subprocess.run(
        [str(part) for part in command],
        cwd=folder or root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    finished.said = finished.stdout + finished.stderr
    return finished
