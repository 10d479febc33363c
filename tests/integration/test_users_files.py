"""Users' files: replaced files, `~` in paths, folders that jobs cannot start from, provenance."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
import yaml

from helpers.workflow import planned_jobs, snakemake

SETTINGS = "analyses: [perturbation]\ndatasets: []\ncustom: {{mine: {{path: {path}}}}}\n"
PREPARED = ("prepare_dataset", "data/prepared/mine.nc")


def write(path, seed, time):
    activity = np.random.default_rng(seed).standard_normal((20, 3))
    np.savez(path, activity=activity)
    os.utime(path, (time, time))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Return the folder of a run that has prepared a user's file."""
    folder = tmp_path_factory.mktemp("prepared")
    write(folder / "mine.npz", seed=0, time=1_700_000_000)
    (folder / "own.yaml").write_text(SETTINGS.format(path="mine.npz"))
    made = run(folder, "results/data/mine.md", "--cores", 1)
    assert made.returncode == 0, made.said
    return folder


@pytest.fixture
def own(prepared, tmp_path):
    return shutil.copytree(prepared, tmp_path / "own")


def run(folder, *arguments, **options):
    return snakemake(*arguments, "--configfile", "own.yaml", folder=folder, **options)


def test_a_file_replaced_by_an_older_one_is_noticed(own):
    assert PREPARED not in planned_jobs(run(own, "-n", "results/data/mine.md").said)
    # The same content at another, older time is no change.
    write(own / "mine.npz", seed=0, time=1_600_000_000)
    assert PREPARED not in planned_jobs(run(own, "-n", "results/data/mine.md").said)
    write(own / "mine.npz", seed=1, time=1_600_000_000)
    assert PREPARED in planned_jobs(run(own, "-n", "results/data/mine.md").said)


def test_the_report_states_path_date_size_and_checksum(prepared):
    (line,) = [
        line
        for line in (prepared / "results/data/mine.md").read_text().splitlines()
        if "2023-11-14 22:13 UTC" in line
    ]
    assert "mine.npz" in line
    assert f"{(prepared / 'mine.npz').stat().st_size} bytes" in line
    assert "sha256:" in line


def test_the_home_folder_may_be_written_as_a_tilde(own):
    (own / "own.yaml").write_text(SETTINGS.format(path="~/mine.npz"))
    planned = run(own, "-n", environment={"HOME": str(own)})
    assert planned.returncode == 0, planned.said
    assert f"{own}/mine.npz" in planned.said


def test_the_name_of_a_file_is_no_program_and_no_markup(tmp_path):
    name = 'it\'s "q" $HOME `touch owned`; touch owned #&amp;\n|.npz'
    write(tmp_path / name, seed=0, time=1_700_000_000)
    settings = {"analyses": ["perturbation"], "datasets": [], "custom": {"mine": {"path": name}}}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(settings))
    made = run(tmp_path, "results/data/mine.md", "--cores", 1)
    assert made.returncode == 0, made.said
    assert not list(tmp_path.rglob("owned"))
    text = (tmp_path / "results/data/mine.md").read_text()
    assert r"$HOME \`touch owned\`; touch owned #&amp;amp; \|.npz" in text


@pytest.mark.parametrize("name", ["Google Drive", "project (2)", "a[b]"])
def test_python_in_a_folder_that_jobs_cannot_start_from_is_refused(own, name):
    (own / name).mkdir()
    python = own / name / "python"
    python.symlink_to(Path(sys.executable).resolve())
    packages = sysconfig.get_path("purelib")
    refused = run(own, "-n", python=python, environment={"PYTHONPATH": packages})
    assert refused.returncode != 0
    (line,) = [line for line in refused.said.splitlines() if "expected a Python whose path" in line]
    assert repr(str(python)) in line
    assert "Traceback" not in refused.said
