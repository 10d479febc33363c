"""Results depend on the processor by rounding only, and not on cores, threads, locale or hashes."""

import os

import pandas as pd

from helpers.tables import require_agreement
from helpers.workflow import TINY

# What follows from the rounding of other kernels, relative to the largest value of a column. Few
# predictions of decoders change, and searches end within their own tolerance.
TOLERANCE = 1e-6
TOLERANCES = {"decoding": 0.01, "ranges": 1e-4, "range_guides": 1e-4}
# How many searches ended where, which may change by one.
COUNTS = "n_(starts|agreed)_(lower|upper)"


def test_other_cores_threads_locale_time_zone_and_hash_seed(run, undisturbed, tried, jobs):
    other = {
        "OMP_NUM_THREADS": "3",
        "OPENBLAS_NUM_THREADS": "3",
        "LC_ALL": "C",
        "TZ": "Asia/Kathmandu",
        "PYTHONHASHSEED": "77",
    }
    run.python = jobs(**other)
    code, said = run.finish(cores=1, environment={**os.environ, **other})
    assert code == 0, said
    tried(1)
    assert run.products() == undisturbed


def test_other_kernels_of_the_processor(run, project, python, jobs, tried):
    """With all analyses, also layers of networks and ranges, which the other faults do without."""
    other = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}
    other["OPENBLAS_CORETYPE"] = "Nehalem"
    runs = [type(run)(project, run.folder / name, python, [TINY]) for name in ("own", "other")]
    runs[1].python = jobs(**other)
    for each, variables in zip(runs, ({}, other), strict=True):
        code, said = each.finish(environment={**os.environ, **variables})
        assert code == 0, said
    tried(1)
    assert set(runs[0].products()) == set(runs[1].products())
    tables = sorted(runs[0].folder.glob("results/tables/*.csv"))
    assert {"layers", "ranges"} < {path.stem for path in tables}
    for path in tables:
        both = (pd.read_csv(each.folder / path.relative_to(runs[0].folder)) for each in runs)
        ours, theirs = (table.loc[:, ~table.columns.str.fullmatch(COUNTS)] for table in both)
        require_agreement(ours, theirs, TOLERANCES.get(path.stem, TOLERANCE), path.name)
