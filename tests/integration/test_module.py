"""The workflow as a module of another one: its own settings, its own folder, the same results."""

import gzip
import hashlib
import re
import subprocess

import numpy as np
import pytest
import yaml

from helpers.workflow import ROOT, TINY, copy_project, offer, snakemake

PAGE = (ROOT / "docs/module.md").read_text()
(EXAMPLE,) = re.findall(r"(?s)```python\n(.*?)```", PAGE)
(SETTINGS,) = re.findall(r"(?s)```yaml\n(.*?)```", PAGE)
SECTION = yaml.safe_load(SETTINGS)["scorebounds"]
# Begins as a file of R does.
RECORDED = gzip.compress(b"recorded activity")
MADE_AT = re.compile(r"(?<![\w/.-])(?:data|results)/[\w/.-]+")


@pytest.fixture
def analysis(tmp_path):
    """Write the example of the page: a workflow, its settings and a recording, next to a clone."""
    copy_project(tmp_path / "scorebounds")
    folder = tmp_path / "analysis"
    (folder / "recordings").mkdir(parents=True)
    activity = np.random.default_rng(0).standard_normal((40, 5))
    np.savez(folder / "recordings/mydata.npz", activity=activity, side=np.arange(40) % 2)
    (folder / "Snakefile").write_text(EXAMPLE)
    (folder / "config.yaml").write_text(SETTINGS)
    return folder


def with_settings(folder, **settings):
    """Write the module's section of the settings, and return the option that names its file."""
    (folder / "more.yaml").write_text(yaml.safe_dump({"scorebounds": settings}))
    return "--configfile", "more.yaml"


def run(folder, *arguments, **settings):
    options = with_settings(folder, **settings) if settings else ()
    return snakemake(*arguments, "--cores", 2, *options, folder=folder, root=folder)


def test_example_of_the_page_runs(analysis):
    settings = {**yaml.safe_load(TINY.read_text()), **SECTION, "measures": ["cka"]}
    made = run(analysis, **settings)
    assert made.returncode == 0, made.said
    assert (analysis / "similarity/results/figures/capture/mydata.png").stat().st_size > 200
    assert "rule scorebounds_plot_figure_of_dataset:" in made.said
    assert {path.name for path in analysis.iterdir()} == {
        "Snakefile",
        "config.yaml",
        "more.yaml",
        "recordings",
        "similarity",
        ".snakemake",
    }
    again = run(analysis, **settings)
    assert "Nothing to be done" in again.said


def test_what_the_section_does_not_name_is_as_by_default(analysis):
    planned = run(analysis, "-n", "scorebounds_all")
    assert planned.returncode == 0, planned.said
    default = yaml.safe_load((ROOT / "config.yaml").read_text())
    for measure in ("cka", "nbs", "svcca"):
        assert measure in default["measures"]
        assert f"similarity/results/optimized/mydata/{measure}.nc" in planned.said


@pytest.mark.parametrize("clone", ["../scorebounds", "scorebounds"])
def test_everything_lies_under_the_prefix(analysis, clone):
    if clone == "scorebounds":
        (analysis / clone).symlink_to("../scorebounds")
        text = EXAMPLE.replace("../scorebounds/Snakefile", "scorebounds/Snakefile")
        (analysis / "Snakefile").write_text(text)
    tiny = yaml.safe_load(TINY.read_text())
    planned = run(analysis, "-n", "scorebounds_all", **tiny)
    assert planned.returncode == 0, planned.said
    assert "similarity/results/tables/scorecards.csv" in planned.said
    assert not MADE_AT.findall(planned.said)
    assert "similarity/workflow" not in planned.said


def test_results_are_those_of_the_workflow_itself(analysis, tmp_path):
    target = "data/prepared/simulated-pfc.nc"
    tiny = yaml.safe_load(TINY.read_text())
    with_prefix = run(analysis, f"similarity/{target}", **tiny)
    text = EXAMPLE.replace('    prefix:\n        "similarity"\n', "").replace("similarity/", "")
    (analysis / "Snakefile").write_text(text)
    without = run(analysis, target, **tiny)
    (tmp_path / "own").mkdir()
    options = ("--cores", 1, "--configfile", TINY)
    itself = snakemake(target, *options, folder=tmp_path / "own", root=tmp_path / "scorebounds")
    for done in (with_prefix, without, itself):
        assert done.returncode == 0, done.said
    places = (analysis / "similarity" / target, analysis / target, tmp_path / "own" / target)
    assert len({hashlib.sha256(place.read_bytes()).hexdigest() for place in places}) == 1


def test_module_fetches_with_its_own_settings(analysis, tmp_path):
    served = offer(tmp_path / "scorebounds", RECORDED, checksum=False)
    place = analysis / "mirror" / served
    place.parent.mkdir(parents=True)
    place.write_bytes(RECORDED)
    target = f"similarity/data/raw/{served}"
    settings = {"datasets": [served.parts[0]], "mirrors": ["mirror"]}
    fetched = run(analysis, target, offline=True, **settings)
    assert fetched.returncode == 0, fetched.said
    assert (analysis / target).read_bytes() == RECORDED
    assert str(served) in (analysis / "similarity/data/checksums.lock").read_text()
    assert not (analysis / "data").exists()
    # From now on it is there without the mirror.
    planned = run(analysis, "-n", "scorebounds_all", offline=True, datasets=settings["datasets"])
    assert planned.returncode == 0, planned.said
    assert f"similarity/data/prepared/{served.parts[0]}.nc" in planned.said


def test_settings_of_another_workflow_are_refused(analysis):
    refused = run(analysis, "-n", samples="samples.tsv")
    assert refused.returncode != 0
    assert "config, top level: unknown key 'samples'" in refused.said
    assert "Traceback" not in refused.said


def test_module_of_a_revision_of_a_local_repository_is_refused(analysis, tmp_path):
    for command in (("init", "-q"), ("add", "scorebounds"), ("commit", "-q", "-m", "all")):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *command], cwd=tmp_path, check=True)
    address = 'gitfile("..", path="scorebounds/Snakefile", ref="HEAD")'
    text = EXAMPLE.replace('"../scorebounds/Snakefile"', address)
    (analysis / "Snakefile").write_text(text)
    refused = run(analysis, "-n")
    assert refused.returncode != 0
    assert "expected scorebounds as a folder on this machine or as a repository" in refused.said


def test_the_catalogues_snakefile_is_the_workflow(analysis, tmp_path):
    planned = {}
    for snakefile in ("Snakefile", "workflow/Snakefile"):
        root = (tmp_path / "scorebounds" / snakefile).parent
        run = snakemake("-n", "--configfile", TINY, folder=analysis, root=root)
        assert run.returncode == 0, run.said
        planned[snakefile] = sorted(re.findall(r"output: (\S+)", run.said))
    assert planned["Snakefile"] == planned["workflow/Snakefile"] != []
