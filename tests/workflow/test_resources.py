"""Requests for memory and time follow the smaller side of a recording."""

import re
from pathlib import Path
from types import SimpleNamespace

import h5py
import pytest
import yaml

from helpers.workflow import ROOT
from scorebounds.core import measure_table
from scorebounds.decoding import reference
from scorebounds.measures import transport
from scorebounds.networks import architectures
from scorebounds.ranges import attained, fewer, joint

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


@pytest.fixture(scope="module")
def requests():
    """Return the functions of resources.smk, which holds no rules."""
    text = (ROOT / "workflow/rules/resources.smk").read_text()
    functions = {
        "config": CONFIG,
        "MEASURE_TABLE": measure_table,
        "OPTIMIZED_MEASURES": CONFIG["measures"][:9],
        "REDUCED": {entry.id for entry in measure_table.ENTRIES if entry.few_coordinates},
        "pairs_of_job": lambda wildcards: [(wildcards.a, wildcards.b)],
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


@pytest.mark.parametrize(
    ("request_", "measure"),
    [("optimize_memory", name) for name in ("cka", "linreg", "ridge_cv_100")]
    + [("optimize_minutes", name) for name in ("cka", "linreg")],
)
def test_a_wide_recording_asks_for_what_a_long_one_asks(requests, recording, request_, measure):
    wildcards = SimpleNamespace(measure=measure)
    long, wide = (
        requests[request_](wildcards, recording(shape), 1) for shape in ((20_000, 50), (50, 20_000))
    )
    assert wide == long
    assert requests[request_](wildcards, recording((50, 20_000)), 2) == 2 * wide


def test_held_out_regression_of_many_neurons_asks_for_all_steps(requests, recording):
    wildcards = SimpleNamespace(measure="ridge_cv_100")
    # 5000 steps of five seeds took 800 s of one core.
    asked = requests["optimize_minutes"](wildcards, recording((50, 20_000)), 1)
    assert 800 / 60 < asked < 4 * 800 / 60


# Minutes of one core that five seeds took while other jobs ran.
@pytest.mark.parametrize(
    ("measure", "shape", "took"),
    [
        ("cka", (20_000, 300), 21),
        ("cka_angular", (20_000, 300), 11.4),
        ("cka_debiased", (20_000, 300), 17.1),
        ("nbs", (20_000, 300), 3.2),
        ("procrustes_angular", (20_000, 300), 4.4),
        ("svcca", (20_000, 300), 10.5),
        ("ridge_cv_100", (20_000, 300), 7.7),
        ("ridge_cv_100", (1_080, 727), 13.8),
    ],
)
def test_optimisation_asks_for_more_minutes_than_it_took(requests, recording, measure, shape, took):
    asked = requests["optimize_minutes"](SimpleNamespace(measure=measure), recording(shape), 1)
    assert took < asked < 4 * took


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"no HDF5 " * 1_000])
def test_a_damaged_recording_is_left_to_the_job_to_report(requests, tmp_path, content):
    (tmp_path / "cut.nc").write_bytes(content)
    damaged = SimpleNamespace(reference=tmp_path / "cut.nc")
    assert requests["optimize_memory"](SimpleNamespace(measure="cka"), damaged, 1) == 1000
    assert requests["perturb_minutes"](SimpleNamespace(), damaged, 1) == 5


def test_few_samples_of_many_neurons_ask_for_a_gigabyte_or_two(requests, recording):
    wildcards = SimpleNamespace(measure="ridge_cv_100")
    assert requests["optimize_memory"](wildcards, recording((50, 20_000)), 1) < 2_500
    assert requests["perturb_minutes"](wildcards, recording((50, 20_000)), 1) == 5


def test_full_recordings_of_the_paper_ask_for_more(requests, recording):
    wildcards = SimpleNamespace(measure="ridge_cv_100")
    assert requests["optimize_memory"](wildcards, recording((1_080, 727)), 1) > 2_800
    assert requests["perturb_minutes"](wildcards, recording((1_080, 727)), 1) == 5
    assert requests["perturb_minutes"](wildcards, recording((100_000, 300)), 1) == 27


def test_a_job_of_all_measures_asks_for_the_most_memory_and_for_the_sum_of_the_time(
    requests, recording
):
    large = recording((1_080, 727))
    names = requests["OPTIMIZED_MEASURES"]
    together = SimpleNamespace()
    alone = [SimpleNamespace(measure=name) for name in names]
    memory = [requests["optimize_memory"](each, large, 1) for each in alone]
    minutes = [requests["optimize_minutes"](each, large, 1) for each in alone]
    assert requests["optimize_memory"](together, large, 1) == max(memory)
    assert abs(requests["optimize_minutes"](together, large, 1) - sum(minutes)) <= len(names)


def test_limits_that_requests_repeat_are_those_of_the_library(requests):
    assert requests["MOST_MATCHED"] == transport.MOST_MATCHED
    # Four bytes a number while targets are approached, eight in the size of a recording.
    assert requests["TARGETS_MB"] == 8e-6 * joint.BATCH_NUMBERS
    assert requests["SEARCHED_MB"] == 8e-6 * attained.BATCH_NUMBERS
    assert requests["CHECKPOINTS_MB"] * 1e6 == reference.BLOCK_BYTES


@pytest.mark.parametrize(
    ("shape", "most"), [((50, 20_000), 1_300), ((500, 8_000), 4_300), ((20_000, 300), 2_700)]
)
def test_scores_ask_for_matrices_of_samples_and_of_neurons(requests, recording, shape, most):
    asked = requests["score_memory"](SimpleNamespace(), recording(shape), 1)
    assert 0.8 * most < asked <= most


@pytest.mark.parametrize("shape", [(50, 20_000), (500, 8_000), (20_000, 300)])
def test_a_range_in_few_coordinates_asks_for_a_batch_of_its_targets(requests, recording, shape):
    asked = requests["range_memory"](SimpleNamespace(a="cka", b="nbs"), recording(shape), 1)
    # CKA and NBS need no more columns than there are samples, and few samples of few neurons.
    one = 8e-6 * min(shape[0], 2 * shape[1] + 1) * min(shape)
    least = 1_000 + 8e-5 * shape[0] * shape[1] + 44 * one
    assert least < asked < least + 15 * max(160, one) + 1


def test_a_range_in_few_coordinates_asks_for_the_time_of_its_certificate(requests, recording):
    asked = requests["range_minutes"]
    long, pair = recording((20_000, 300)), SimpleNamespace(a="cka", b="procrustes_angular")
    # It took 16 minutes, and 4 at 1000 × 100.
    assert 16 < asked(pair, long, 1) < 4 * 16
    assert 4 < asked(pair, recording((1_000, 100)), 1) < 4 * 4
    assert asked(SimpleNamespace(a="linreg", b="cka"), long, 1) == 5


def test_a_full_range_asks_for_what_it_used(requests, recording):
    wildcards = SimpleNamespace(a="ridge_cv_100", b="procrustes_angular")
    # In as many columns as there are samples; in all of them it took 3677 MB and 7.1 minutes.
    wide = recording((50, 20_000))
    assert 421 < requests["range_memory"](wildcards, wide, 1) < 4 * 421
    assert requests["range_minutes"](wildcards, wide, 1) == 5
    # Measures that rotations change are searched in all columns.
    rotated = SimpleNamespace(a="rsa_correlation_pearson", b="cka")
    assert requests["range_memory"](rotated, wide, 1) > 3_677
    # 220 points of 3005 samples, most of them starts and results.
    long = recording((20_000, 300))
    assert 4_500 < requests["range_memory"](wildcards, long, 1) < 6_500
    assert 60 < requests["range_minutes"](wildcards, long, 1) < 100


def test_other_pairs_ask_for_minutes_by_the_rank(requests, recording):
    # 20 000 × 300 took one minute.
    asked = requests["other_pairs_minutes"]
    assert asked(SimpleNamespace(), recording((20_000, 300)), 1) == 5
    assert asked(SimpleNamespace(), recording((500, 8_000)), 1) == 6
    assert asked(SimpleNamespace(), recording((1_080, 727)), 1) > 20


@pytest.mark.parametrize("shape", [(20_000, 300), (20_001, 300), (1_080, 727), (203, 4), (200, 4)])
@pytest.mark.parametrize(("a", "n_folds"), [("ridge_cv_100", 5), ("svcca_0.9", 1)])
def test_a_range_in_fewer_samples_asks_for_as_many_as_it_takes(requests, shape, a, n_folds):
    searched = requests["searched_samples"]
    assert searched((a, "cka"), *shape) == fewer.number_of_fewer(*shape, n_folds)
    assert searched((a, "rsa_euclidean_pearson"), *shape) == shape[0]


@pytest.fixture
def layers(requests):
    """Return the function that sets the networks whose layers are compared."""

    def set_layers(settings):
        section = CONFIG["layers"] | settings
        requests.update(
            ARCHITECTURES=architectures,
            LAYERS=section,
            measures_of_part=lambda wildcards: getattr(wildcards, "measures", section["measures"]),
        )
        return section

    return set_layers


def test_layers_of_digits_are_all_kept_at_once(requests, layers):
    layers({})
    assert requests["blocks_of_layers"](SimpleNamespace()) == [[0, 5 * 9]]
    # A run used 1745 MB and two minutes.
    assert 1_745 < requests["match_memory"](SimpleNamespace(), None, 1) < 2 * 1_745
    assert 2 < requests["match_minutes"](SimpleNamespace(), None, 1) < 8


@pytest.mark.parametrize("measure", ["cka", "linreg", "cka_rbf_0.4"])
def test_layers_of_cifar10_are_kept_in_blocks_of_a_fixed_size(requests, layers, measure):
    settings = yaml.safe_load((ROOT / "config/cifar10.yaml").read_text())["layers"]
    layers(settings)
    job = SimpleNamespace(measures=[measure])
    blocks = requests["blocks_of_layers"](job)
    places = [place for start, stop in blocks for place in range(start, stop)]
    assert places == list(range(10 * 9))
    mb = requests["mb_of_layers"](job) * 10
    of_blocks = [mb[start:stop] for start, stop in blocks]
    assert all(len(block) == 1 or sum(block) <= requests["LAYERS_MB"] for block in of_blocks)
    # Each block is full: the next layer would not fit.
    nexts = [mb[stop] for _, stop in blocks[:-1]]
    assert all(
        sum(block) + following > requests["LAYERS_MB"]
        for block, following in zip(of_blocks, nexts, strict=False)
    )
    few, many = (
        (layers(settings | {"n_networks": n}), requests["match_memory"](job, None, 1))[1]
        for n in (10, 40)
    )
    assert few == many < 100_000


def test_a_network_asks_for_what_its_recorded_layers_take(requests, layers, tmp_path):
    (tmp_path / "images").write_bytes(bytes(1_000_000))
    layers({"images": "cifar10", "n_images": 20_000, "n_untrained": 3})
    third, fourth = (
        requests["train_memory"](SimpleNamespace(network=n), [tmp_path / "images"], 1)
        for n in ("3", "4")
    )
    layer_mb = 4e-6 * 20_000 * sum(architectures.layer_widths("cifar10"))
    assert third == pytest.approx(1_020 + 3 * layer_mb, abs=1)
    assert fourth == pytest.approx(1_020 + 2 * layer_mb, abs=1)
