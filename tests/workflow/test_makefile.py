"""`make` stops with one sentence, before it installs anything, where the workflow cannot run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def make(folder, *arguments, **variables):
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "Makefile", folder)
    # `make test` passes its own flags on.
    outer = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    made = subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={**outer, **variables},
        capture_output=True,
        text=True,
    )
    assert made.returncode != 0
    assert not (folder / ".venv").exists()
    return made.stdout + made.stderr


@pytest.mark.parametrize("name", ["Google Drive", "project (2)", "a[b]", "it's", "50$"])
def test_folder_whose_path_snakemake_cannot_use_is_refused(tmp_path, name):
    said = make(tmp_path / name, ".venv/bin/python")
    assert "expected a folder whose path has no spaces, brackets or quotes" in said
    assert "move the project" in said


def test_old_python_is_refused(tmp_path):
    said = make(tmp_path, ".venv/bin/python", "PYTHON=false")
    assert "scorebounds needs Python 3.11 or newer; name one: make PYTHON=python3.11" in said


def test_tests_pass_where_the_checkout_cannot_be_written_to():
    command = [sys.executable, "-m", "pytest", "-q", "-o", "cache_dir=/proc/none"]
    command += ["tests/unit/test_benchmarks.py"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
