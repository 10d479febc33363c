"""What the tests of clusters share: a job that dies at first, and results that stay the same."""

import functools
import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from helpers.workflow import ROOT, TINY

# Dies unless it was given more than the first attempt is, and says what it was given.
PROBE = """
rule probe:
    output: "probe.txt"
    resources: mem_mb=lambda wildcards, attempt: 200 * attempt, runtime=1
    shell: "test {{resources.mem_mb}} -ge 400 || kill -9 $$; {say} > {{output}}"
"""
# All but figures, whose bytes tests/integration compares.
RESULTS = (
    "data/prepared/*",
    "results/optimized/**/*.nc",
    "results/tables/*",
    "results/layers/*.csv",
)


def needs_plugin(name):
    if importlib.util.find_spec(f"snakemake_executor_plugin_{name.replace('-', '_')}") is None:
        pytest.skip(f"needs snakemake-executor-plugin-{name}: pip install it")


def write_program(path, text):
    path.write_text(text)
    path.chmod(0o755)


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for pattern in RESULTS
        for path in sorted(folder.glob(pattern))
    }


def begin(*arguments, folder):
    """Start Snakemake and return its process; what it says goes to a file in its folder."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    command += ["--configfile", TINY, *arguments]
    with (folder / "said.log").open("w") as said:
        return subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            stdout=said,
            stderr=subprocess.STDOUT,
            env=os.environ,
        )


@functools.cache
def results_of_one_machine():
    """Run the tiny workflow without a scheduler, once, and return what came of it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        assert begin("--cores", 2, folder=folder).wait() == 0, (folder / "said.log").read_text()
        found = digests(folder)
    assert len(found) > 20
    return found
