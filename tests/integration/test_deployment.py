"""The workflow as its catalogue deploys it: a module of a repository on a hosting site."""

import subprocess

import numpy as np
import pytest

from helpers.workflow import copy_project, snakemake

# What `snakedeploy deploy-workflow <address> . --tag v1.0.0` writes.
DEPLOYED = """\
from snakemake.utils import min_version

min_version("6.10.0")

configfile: "config/config.yaml"

module scorebounds:
    snakefile:
        github("lab/scorebounds", path="workflow/Snakefile", {reference})
    config:
        config

use rule * from scorebounds
"""
SETTINGS = """\
analyses: [scorecards, perturbation]
measures: [cka, procrustes_angular]
datasets: []
scorecards: {n_permutations: 19, n_permutations_of: {}, n_groups: 5}
custom: {mydata: {path: mydata.npz}}
models: {mymodel: {path: model.npz, references: [mydata]}}
"""


def git(*arguments, folder):
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", *who, *map(str, arguments)], cwd=folder, check=True)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Put a repository where git looks for github.com, and Snakemake's cache in a new folder."""
    folder = tmp_path_factory.mktemp("site")
    project = copy_project(folder / "project")
    for command in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "all")):
        git(*command, folder=project)
    git("tag", "v1.0.0", folder=project)
    (folder / "lab").mkdir()
    git("clone", "-q", "--bare", project, folder / "lab/scorebounds", folder=folder)
    (folder / "gitconfig").write_text(
        f'[url "file://{folder}/"]\n\tinsteadOf = https://github.com/\n[safe]\n\tdirectory = *\n'
    )
    settings = {"GIT_CONFIG_GLOBAL": folder / "gitconfig", "XDG_CACHE_HOME": folder / "cache"}
    return {name: str(path) for name, path in settings.items()}


def deploy(folder, reference):
    for name in ("config", "workflow"):
        (folder / name).mkdir()
    (folder / "config/config.yaml").write_text(SETTINGS)
    (folder / "workflow/Snakefile").write_text(DEPLOYED.format(reference=reference))
    activity = np.random.default_rng(0).standard_normal((30, 4))
    np.savez(folder / "mydata.npz", activity=activity)
    np.savez(folder / "model.npz", activity=activity[:, :3])


def test_deployed_workflow_runs_and_a_second_run_does_nothing(tmp_path, environment):
    deploy(tmp_path, reference='tag="v1.0.0"')
    run = {"folder": tmp_path, "root": tmp_path / "workflow", "environment": environment}
    made = snakemake("--cores", 2, **run)
    assert made.returncode == 0, made.said
    for name in ("figures/perturbation.png", "scorecards/mydata/mymodel.html", "data/mydata.md"):
        assert (tmp_path / "results" / name).stat().st_size > 100
    again = snakemake("--cores", 2, **run)
    assert again.returncode == 0, again.said
    assert "Nothing to be done" in again.said

    # The same code under another reference: it plans nothing, and a job of it runs.
    snakefile = tmp_path / "workflow/Snakefile"
    snakefile.write_text(DEPLOYED.format(reference='branch="main"'))
    planned = snakemake("-n", **run)
    assert planned.returncode == 0, planned.said
    assert "Nothing to be done" in planned.said
    table = tmp_path / "results/perturbation/mydata.csv"
    table.unlink()
    of_branch = snakemake("results/perturbation/mydata.csv", "--cores", 1, **run)
    assert of_branch.returncode == 0, of_branch.said
    assert table.is_file()
