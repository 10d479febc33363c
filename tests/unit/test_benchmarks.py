"""Benchmarks read the output of Snakemake, and time every measure."""

import importlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from scorebounds.measures import registry

FOLDER = Path(__file__).parents[2] / "benchmarks"
PLAN = """
localrule collect_table:
    output: results/tables/thresholds.csv
    benchmark: results/benchmarks/collect_table/thresholds.tsv
    resources: mem_mb=519, mem_mib=495, tmpdir=<TBD>, runtime=5

group job optimize (jobs in lexicogr. order):
    rule optimize_dataset:
        output: results/optimized/a/cka.nc
        benchmark: results/benchmarks/optimize_dataset/a.cka.tsv
        resources: mem_mb=1666, mem_mib=1589, tmpdir=<TBD>, runtime=12

    rule score_synthetic:
        output: results/scores/a/cka.csv
        benchmark: results/benchmarks/score_synthetic/a.cka.tsv
        resources: mem_mb=2390, mem_mib=2280, tmpdir=<TBD>, runtime=5

localrule all:
    input: results/tables/thresholds.csv
    resources: tmpdir=<TBD>
"""


def load_resources():
    specification = importlib.util.spec_from_file_location("resources", FOLDER / "resources.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_requests_are_read_of_single_jobs_and_of_jobs_in_groups():
    jobs = {rule: requested for rule, _, requested in load_resources().planned_jobs(PLAN)}
    assert jobs == {
        "collect_table": {"mem_mb": "519", "runtime": "5"},
        "optimize_dataset": {"mem_mb": "1666", "runtime": "12"},
        "score_synthetic": {"mem_mb": "2390", "runtime": "5"},
    }


def test_job_that_used_more_than_requested_is_named():
    resources = load_resources()
    requested = {"mem_mb": 1500.0, "runtime": 5.0}
    short = resources.FinishedJob("r", "short.tsv", requested, {"mem_mb": 1600.0, "runtime": 1.0})
    excess = resources.FinishedJob("r", "excess.tsv", requested, {"mem_mb": 300.0, "runtime": 1.0})
    fair = resources.FinishedJob("r", "fair.tsv", requested, {"mem_mb": 900.0, "runtime": 1.0})
    assert list(resources.faults([short, excess, fair])) == [
        "short.tsv: requested too little mem_mb, 1500 where 1600.0 were used",
        "excess.tsv: requested too much mem_mb, 1500 where 300.0 were used",
    ]


@pytest.fixture
def on_path(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)


@pytest.mark.parametrize("name", registry.names())
def test_every_measure_can_be_timed(name, on_path, monkeypatch):
    measures = importlib.import_module("measures")
    monkeypatch.setattr(measures, "timed", lambda work: work() is not None)
    x, y = measures.correlated_pair(200, 50)
    plain, with_gradient, _ = measures.cost(registry.load(name), x, y)
    assert plain
    assert bool(with_gradient) == registry.load(name).differentiable


def test_a_step_can_be_timed(on_path):
    steps = importlib.import_module("steps")
    for name in steps.OPTIMIZED:
        score, captured = steps.our_step(name, *steps.correlated_pair(60, 8))()
        assert 0 < score.item() <= 1
        assert captured.shape == (1, 8)


def test_ends_of_a_range_can_be_timed(on_path, monkeypatch):
    ranges = importlib.import_module("ranges")
    few = ranges.SEARCH_SETTINGS._replace(n_starts=2, n_rounds=1, n_steps=2)
    monkeypatch.setattr(ranges, "SEARCH_SETTINGS", few)
    grid = torch.tensor([0.4, 0.8], dtype=torch.float64)
    ends = np.reshape(ranges.search_ends(ranges.draw(40, 6, seed=0), grid, ("cka", "nbs")), (2, 2))
    assert (ends[0] <= ends[1]).all()
