"""After a change of code, only jobs whose results it can change run again."""

import os
import re
import shutil

import numpy as np
import pytest

from helpers.workflow import TinyRun, planned_jobs

SCRIPTS = "workflow/scripts"
LIBRARY = f"{SCRIPTS}/scorebounds"


@pytest.fixture(scope="module")
def run(tiny_run, tmp_path_factory):
    """Copy the finished run once; every test puts back what it changes."""
    return tiny_run.copy(tmp_path_factory.mktemp("reruns") / "tiny")


def plan(run, *arguments):
    """Return the jobs of a dry run, as (rule, first output)."""
    planned = run.run("-n", *arguments)
    assert planned.returncode == 0, planned.said
    return planned_jobs(planned.said)


def plan_after(run, name, change, *arguments):
    """Return the jobs of a dry run in which a file of the library is changed."""
    path = run.project / LIBRARY / name
    before = path.read_text()
    path.write_text(change(before))
    assert path.read_text() != before
    try:
        return plan(run, *arguments)
    finally:
        path.write_text(before)


def add_code(text):
    return text + "\nNEVER_USED = 1\n"


def rules(jobs):
    return {rule for rule, _ in jobs}


def test_comments_and_docstrings_plan_nothing(run, tmp_path):
    project = shutil.copytree(run.project, tmp_path / "project")
    for path in (project / SCRIPTS).rglob("*.py"):
        text = re.sub(r'\A"""', '"""Changed. ', path.read_text())
        path.write_text(f"# a comment\n{text}\n# another\n")
    assert plan(TinyRun(project, run.folder)) == []


def test_a_new_clone_with_existing_results_plans_no_job(run, tmp_path):
    project = shutil.copytree(run.project, tmp_path / "elsewhere/clone")
    for path in project.rglob("*"):
        os.utime(path)
    assert plan(TinyRun(project, run.folder)) == []


def test_code_of_a_figure_draws_this_figure_again(run):
    assert plan_after(run, "figures/scores.py", add_code) == [
        ("plot_figure", "results/figures/scores.pdf"),
        ("all", ""),
    ]


def test_code_of_readers_plans_nothing_without_a_users_data(run):
    assert plan_after(run, "datasets/readers/containers.py", add_code) == []


def test_code_of_readers_plans_a_users_dataset_and_nothing_else(tiny_copy):
    activity = np.random.default_rng(0).standard_normal((12, 3))
    np.savez(tiny_copy.folder / "mine.npz", activity=activity)
    prepared = ("prepare_dataset", "data/prepared/mine.nc")
    users = ("--config", "custom={mine: {path: mine.npz}}")
    made = tiny_copy.run(prepared[1], *users, cores=1)
    assert made.returncode == 0, made.said
    before = plan(tiny_copy, *users)
    assert prepared not in before
    after = plan_after(tiny_copy, "datasets/readers/numpy_files.py", add_code, *users)
    assert set(after) - set(before) == {prepared}


def test_code_of_a_loader_plans_its_dataset(run):
    jobs = plan_after(run, "datasets/made/ultrametric.py", add_code)
    assert ("prepare_dataset", "data/prepared/ultrametric.nc") in jobs
    prepared = [output for rule, output in jobs if rule == "prepare_dataset"]
    assert prepared == ["data/prepared/ultrametric.nc"]


def test_code_of_a_measure_plans_what_uses_this_measure(run):
    jobs = plan_after(run, "measures/shapes.py", add_code)
    optimized = sorted(job for job in jobs if job[0].startswith("optimize"))
    # One job optimises all measures of a small dataset.
    assert optimized == [
        ("optimize_small_dataset", "results/optimized/simulated-pfc/cka.nc"),
        ("optimize_small_dataset", "results/optimized/surrogate-simulated-pfc-1/cka.nc"),
        ("optimize_small_dataset", "results/optimized/surrogate-simulated-pfc-2/cka.nc"),
        ("optimize_small_dataset", "results/optimized/ultrametric/cka.nc"),
        ("optimize_toy", "results/optimized/two-fans/cka.nc"),
    ]
    assert {"score_synthetic", "score_model"} <= rules(jobs)
    assert not {"prepare_dataset", "train_network", "train_model"} & rules(jobs)


def test_a_new_measure_in_the_table_plans_no_computation(run):
    entry = 'MeasureEntry(id="new_measure", label="new measure", module="kernels")'

    def add_entry(text):
        return text.replace("ENTRIES = (", f"ENTRIES = (\n    {entry},", 1)

    jobs = plan_after(run, "core/measure_table.py", add_entry)
    # Labels in figures and pages are read from the table.
    labelled = {"plot_figure", "plot_figure_of_dataset", "animate_toy", "judge_model"}
    pages = {"build_explorer", "build_index", "describe_measures"}
    assert rules(jobs) <= {*labelled, *pages, "collect_table", "all"}


def test_code_of_recordings_plans_what_reads_them(run):
    jobs = plan_after(run, "core/recording.py", add_code)
    reading = {"prepare_dataset", "train_model", "optimize_dataset", "optimize_small_dataset"}
    reading |= {"score_model", "range_small_dataset", "decode_reference", "perturb_components"}
    assert reading | {"score_synthetic"} <= rules(jobs)
    assert "train_network" not in rules(jobs)


def test_code_of_thresholds_plans_no_optimisation(run):
    planned = rules(plan_after(run, "optimization/summary.py", add_code))
    assert {"find_thresholds", "collect_table"} <= planned
    assert not {"prepare_dataset", "optimize_dataset", "optimize_small_dataset"} & planned


def test_code_of_the_log_plans_nothing(run):
    assert plan_after(run, "core/joblog.py", add_code) == []


def test_another_device_plans_only_what_was_asked_to_run_on_a_gpu(run):
    assert plan(run, "--config", "device=cpu") == []
    on_gpu = rules(plan(run, "--config", "device=cuda"))
    assert {
        "train_network",
        "train_model",
        "optimize_dataset",
        "optimize_small_dataset",
        "score_model",
        "range_pair",
        "range_small_dataset",
    } <= on_gpu


def test_a_figure_by_path_or_by_name_is_up_to_date(run):
    assert plan(run, "results/figures/capture/ultrametric.pdf") == []
    assert plan(run, "figure_thresholds") == []
