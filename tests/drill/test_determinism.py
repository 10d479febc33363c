"""Results depend on the processor by rounding only, and not on cores, threads, locale or hashes."""

import os

import pandas as pd

from helpers.tables import require_agreement

# What follows from the rounding of other kernels, relative to the largest value of a column.
TOLERANCE = 1e-6


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


def test_other_kernels_of_the_processor(run, project, undisturbed, tried, jobs):
    other = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}
    other["OPENBLAS_CORETYPE"] = "Nehalem"
    run.python = jobs(**other)
    code, said = run.finish(environment={**os.environ, **other})
    assert code == 0, said
    tried(1)
    assert set(run.products()) == set(undisturbed)
    tables = sorted(run.folder.glob("results/tables/*.csv"))
    assert len(tables) > 5
    for path in tables:
        ours = pd.read_csv(path)
        theirs = pd.read_csv(project.parent / "undisturbed" / path.relative_to(run.folder))
        require_agreement(ours, theirs, TOLERANCE, path.name)
