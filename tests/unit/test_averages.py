"""Averages of values in single precision do not count their rounding as dimensions."""

import numpy as np
import pytest
import xarray as xr

import scorebounds as sb
from scorebounds.core.averages import is_single, mean_as_stored

N, DIMENSIONS, UNITS = 100, 5, 100


@pytest.fixture(scope="module")
def features():
    """Features of five dimensions, three rows for each of 100 stimuli, in single precision."""
    rng = np.random.default_rng(0)
    latent, readout = rng.normal(size=(3 * N, DIMENSIONS)), rng.normal(size=(DIMENSIONS, UNITS))
    return (latent @ readout).astype(np.float32), rng.normal(size=(N, 20))


def test_means_have_the_precision_of_their_source(features):
    values, _ = features
    assert is_single(values)
    assert is_single(values.astype(float))
    assert is_single(mean_as_stored(values, 0))
    np.testing.assert_allclose(mean_as_stored(values, 0), values.mean(0, dtype=float), atol=1e-6)
    double = values / 3.0**0.5 + np.pi
    assert not is_single(double.astype(float) + 1e-12)


def test_means_of_counts_and_of_parts_are_not_rounded():
    counts = np.array([[0, 1], [1, 0], [1, 0]], dtype=np.float32)
    assert mean_as_stored(counts, 0).tolist() == [2 / 3, 1 / 3]
    part = mean_as_stored(counts, 0, single=True)
    assert part.tolist() == [float(np.float32(2 / 3)), float(np.float32(1 / 3))]


def test_averages_of_a_file_in_single_precision_have_its_dimensions(tmp_path, features):
    values, x = features
    np.savez(tmp_path / "m.npz", activity=values, img=np.repeat(np.arange(N), 3))
    y = sb.read(tmp_path / "m.npz", array="activity", average_by=["img"])
    rank = sb.score(x, y, "linreg")
    exact = values.astype(float).reshape(N, 3, -1).mean(1)
    expected = sb.score(x, np.linalg.svd(exact)[0][:, :DIMENSIONS], "linreg")
    # The intercept takes one of the columns' dimensions or none.
    assert rank == pytest.approx(expected, abs=0.03)
    table = sb.card(x, y, ["linreg"], n_permutations=19).table
    assert table.n_dimensions.item() == DIMENSIONS


def test_averages_over_time_and_over_trials_have_the_dimensions_of_the_model(features):
    values, x = features
    course = values.reshape(N, 3, UNITS).swapaxes(0, 1)
    timed = xr.DataArray(course, dims=("time", "condition", "neuron"))
    recorded = xr.DataArray(np.stack([x] * 3), dims=("time", "condition", "neuron"))
    match = {"time": "average"}
    exact = timed.astype(float) + 0.0
    single = sb.score(recorded, timed, "linreg", match=match)
    centred = exact.values.mean(0) - exact.values.mean((0, 1))
    basis = np.linalg.svd(centred, full_matrices=False)[0][:, :DIMENSIONS]
    fitted = basis.T @ (x - x.mean(0))
    r2 = (fitted**2).sum() / ((x - x.mean(0)) ** 2).sum()
    assert single == pytest.approx(r2, abs=1e-5)
    names = np.repeat([f"image {number}" for number in range(N)], 3)
    model = xr.DataArray(values, dims=("condition", "neuron"), coords={"condition": names})
    reference = xr.DataArray(
        np.repeat(x, 3, axis=0), dims=("condition", "neuron"), coords={"condition": names}
    )
    assert sb.score(reference, model, "linreg") == pytest.approx(r2, abs=1e-5)
