"""Profiles hold keys that their executor and Snakemake know, and numbers for groups of rules."""

import dataclasses
import importlib.util
import re

import pytest
import yaml
from snakemake.cli import get_argument_parser
from snakemake_interface_executor_plugins.settings import SharedFSUsage

from helpers.rules import rules_with_scripts
from helpers.workflow import ROOT, TINY, snakemake

PROFILES = ["slurm", "cluster-generic", "lsf", "kubernetes"]
# What a user puts in; the commented lines of a profile are held to the plugins as well.
NAMES_OF_LINES = ("slurm-", "cluster-generic-", "lsf-", "kubernetes-", "container-", "default-")


def profile(name):
    return yaml.safe_load((ROOT / f"profiles/{name}/config.v9+.yaml").read_text())


def optional_keys(name):
    lines = (ROOT / f"profiles/{name}/config.v9+.yaml").read_text().splitlines()
    commented = [line[2:].split(":")[0] for line in lines if line.startswith("# ") and ":" in line]
    return [key for key in commented if " " not in key and key.startswith(NAMES_OF_LINES)]


def plugin(name):
    module = f"snakemake_executor_plugin_{name.replace('-', '_')}"
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"needs snakemake-executor-plugin-{name}: pip install it")
    return importlib.import_module(module)


@pytest.mark.parametrize("name", PROFILES)
def test_executor_knows_every_key(name):
    settings = getattr(plugin(name), "ExecutorSettings", None)
    known = {field.name for field in dataclasses.fields(settings)} if settings else set()
    options = {
        option.removeprefix("--")
        for action in get_argument_parser()._actions
        for option in action.option_strings
    }
    keys = [*profile(name), *optional_keys(name)]
    assert profile(name)["executor"] == name
    for key in keys:
        if key.startswith(f"{name}-"):
            assert key.removeprefix(f"{name}-").replace("-", "_") in known, key
        else:
            assert key in options, key


@pytest.mark.parametrize("name", [*PROFILES, "default"])
def test_the_time_of_a_script_file_triggers_no_job(name):
    assert profile(name)["rerun-triggers"] == ["mtime", "params", "input", "software-env"]


@pytest.mark.parametrize("name", ["slurm", "cluster-generic", "lsf", "default"])
def test_everything_is_shared_but_the_cache_of_sources(name):
    everything = set(SharedFSUsage.choices()) - {"none"}
    assert set(profile(name)["shared-fs-usage"]) == everything - {"source-cache"}


def test_no_file_system_is_shared_on_kubernetes():
    assert profile("kubernetes")["shared-fs-usage"] == "none"


@pytest.mark.parametrize("profile", ["default", "cluster-generic"])
def test_the_home_directory_need_not_exist(profile, tmp_path):
    options = ("--workflow-profile", ROOT / f"profiles/{profile}", "--configfile", TINY)
    nowhere = {"HOME": "/dev/null/none", "XDG_CACHE_HOME": ""}
    planned = snakemake(*options, "--dry-run", folder=tmp_path, environment=nowhere)
    assert planned.returncode == 0, planned.said
    assert "optimize_small_dataset" in planned.said


def write_module(folder):
    """Write a workflow that uses this one as a module, and has no profile of its own."""
    lines = f"""
configfile: "own.yaml"
module scorebounds:
    snakefile: {str(ROOT / "Snakefile")!r}
    config: config
use rule * from scorebounds
"""
    (folder / "Snakefile").write_text(lines)
    (folder / "own.yaml").write_text("datasets: [ultrametric]\n")
    return ("--snakefile", folder / "Snakefile", "all")


def without_profile(_):
    return ("--workflow-profile", "none", "--configfile", TINY)


@pytest.mark.parametrize("options", [write_module, without_profile])
def test_without_a_profile_of_ours_the_cache_may_be_elsewhere(options, tmp_path):
    nowhere = {"HOME": "/dev/null/none", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    planned = snakemake(*options(tmp_path), "--dry-run", folder=tmp_path, environment=nowhere)
    assert planned.returncode == 0, planned.said
    assert "optimize_small_dataset" in planned.said


def group_of(block):
    found = re.search(r'(?m)^    group:\s+"(.+)"$', block)
    return found and found[1]


def test_every_rule_that_is_submitted_has_a_group_and_no_other_rule_has_one():
    for rule, block in rules_with_scripts().items():
        assert bool(group_of(block)) == ("localrule: True" not in block), rule


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_say_how_many_of_each_group_are_submitted_together(name):
    groups = set(filter(None, map(group_of, rules_with_scripts().values())))
    assert set(profile(name)["group-components"]) == groups
    assert profile(name)["group-components"] == profile("slurm")["group-components"]


@pytest.mark.parametrize("name", ["slurm", "cluster-generic", "lsf"])
def test_snakemake_takes_the_profile(name, tmp_path):
    plugin(name)
    folder = ROOT / f"profiles/{name}"
    options = ("--workflow-profile", folder, "--configfile", TINY, "--dry-run")
    result = snakemake(*options, folder=tmp_path)
    assert result.returncode == 0, result.said
    assert "optimize_dataset" in result.said
