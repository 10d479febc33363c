"""Requests for memory and time follow the smaller side of a recording."""

import re
from pathlib import Path
from types import SimpleNamespace

import h5py
import pytest
import yaml

from helpers.workflow import ROOT
from scorebounds.core import measure_table

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


@pytest.fixture(scope="module")
def requests():
    """Return the functions of resources.smk, which holds no rules."""
    text = (ROOT / "workflow/rules/resources.smk").read_text()
    functions = {
        "config": CONFIG,
        "MEASURE_TABLE": measure_table,
        "OPTIMIZED_MEASURES": CONFIG["measures"][:9],
        "Path": Path,
        "re": re,
    }
    exec(compile(text, "resources.smk", "exec"), functions)
    return functions


@pytest.fixture
def recording(tmp_path):
    """Return the function that makes the input of a job with a recording of a shape."""

    def make(shape):
        path = tmp_path / f"{shape}.nc"
        with h5py.File(path, "w") as file:
            file.create_dataset("activity", shape, dtype="f8", chunks=True, compression="gzip")
        return SimpleNamespace(reference=path)

    return make


@pytest.mark.parametrize("measure", ["cka", "linreg", "ridge_cv_100"])
@pytest.mark.parametrize("request_", ["optimize_memory", "optimize_minutes"])
def test_a_wide_recording_asks_for_what_a_long_one_asks(requests, recording, request_, measure):
    wildcards = SimpleNamespace(measure=measure)
    long, wide = (
        requests[request_](wildcards, recording(shape), 1) for shape in ((20_000, 50), (50, 20_000))
    )
    assert wide == long
    assert requests[request_](wildcards, recording((50, 20_000)), 2) == 2 * wide


def test_few_samples_of_many_neurons_ask_for_a_gigabyte_or_two(requests, recording):
    wildcards = SimpleNamespace(measure="ridge_cv_100")
    assert requests["optimize_memory"](wildcards, recording((50, 20_000)), 1) < 2_500
    assert requests["perturb_minutes"](wildcards, recording((50, 20_000)), 1) == 5


def test_full_recordings_of_the_paper_ask_for_more(requests, recording):
    wildcards = SimpleNamespace(measure="ridge_cv_100")
    assert requests["optimize_memory"](wildcards, recording((1_080, 727)), 1) > 2_800
    assert requests["perturb_minutes"](wildcards, recording((1_080, 727)), 1) == 5
