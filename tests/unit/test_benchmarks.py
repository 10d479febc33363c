"""Benchmarks read the output of Snakemake."""

import importlib.util
from pathlib import Path

PATH = Path(__file__).parents[2] / "benchmarks" / "resources.py"
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
    specification = importlib.util.spec_from_file_location("resources", PATH)
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
