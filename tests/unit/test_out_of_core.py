"""Scores of arrays on disk, read in blocks, equal those of the same arrays in memory."""

import warnings

import dask
import dask.array
import h5py
import numpy as np
import psutil
import pytest
import torch
import xarray as xr
import zarr

import scorebounds as sb
from scorebounds.analyses import out_of_core
from scorebounds.core.measure_table import entry_of, measure_names
from scorebounds.measures import MinibatchCKA, registry
from scorebounds.measures.blocks import Stored, reduce_blocks

# 300 × (9 + 6) values need 144 kB in memory by the estimate, and blocks are of 83 samples.
LIMIT = 4e-5
MEASURES = [
    *(
        name
        for name in measure_names()
        if entry_of(name).id in out_of_core.OF_PRODUCTS | out_of_core.OF_TRIANGULAR_FACTOR
    ),
    "ridge_0.01",
    "ridge_cv_3",
]


def draw(n_samples=300, widths=(9, 6), *, offset=0.0, seed=0):
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n_samples, 4))
    return tuple(
        offset
        + shared @ rng.normal(size=(4, width))
        + rng.normal(size=(n_samples, width)) * 2.0 ** -np.arange(width)
        for width in widths
    )


def as_npy(array, folder, name):
    np.save(folder / f"{name}.npy", array)
    return np.load(folder / f"{name}.npy", mmap_mode="r")


def as_hdf5(array, folder, name):
    file = h5py.File(folder / f"{name}.h5", "w")
    return file.create_dataset("activity", data=array, chunks=(7, *array.shape[1:]))


def as_zarr(array, folder, name):
    stored = zarr.create_array(
        folder / f"{name}.zarr", shape=array.shape, dtype=array.dtype, chunks=(9, *array.shape[1:])
    )
    stored[:] = array
    return stored


def as_dask(array, _folder, _name):
    return dask.array.from_array(array, chunks=(8, *array.shape[1:]))


def as_netcdf(array, folder, name):
    dims = ("sample", "neuron")
    xr.DataArray(array, dims=dims, name="a").to_netcdf(folder / f"{name}.nc", engine="h5netcdf")
    return xr.open_dataarray(folder / f"{name}.nc", engine="h5netcdf")


FORMATS = {
    "npy": as_npy,
    "hdf5": as_hdf5,
    "zarr": as_zarr,
    "dask": as_dask,
    "netcdf": as_netcdf,
    "memory": lambda array, _folder, _name: array,
    "torch": lambda array, _folder, _name: torch.from_numpy(array),
    "transposed": lambda array, *_: xr.DataArray(array.T, dims=("neuron", "sample")),
}


@pytest.fixture
def in_blocks_only(monkeypatch):
    """Fail where a score is computed in memory after all."""

    def refuse(*_arguments):
        raise AssertionError("scored in memory")

    monkeypatch.setattr("scorebounds.analyses.models.score_pair", refuse)


def in_memory(x, y, measure, **options):
    return sb.score(np.array(x), np.array(y), measure, **options)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_scores_in_blocks_equal_those_in_memory(measure, offset, request):
    x, y = draw(offset=offset)
    expected = in_memory(x, y, measure)
    request.getfixturevalue("in_blocks_only")
    found = sb.score(x, y, measure, memory_limit=LIMIT)
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("measure", ["cka", "linreg", "ridge_cv_100", "svcca"])
def test_every_format_gives_the_same_score(kind, measure, tmp_path, request):
    x, y = (side.astype(np.float32) for side in draw())
    expected = in_memory(x, y, measure)
    request.getfixturevalue("in_blocks_only")
    x, y = FORMATS[kind](x, tmp_path, "x"), FORMATS[kind](y, tmp_path, "y")
    assert sb.score(x, y, measure, memory_limit=LIMIT) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("kind", ["npy", "hdf5", "zarr", "dask"])
@pytest.mark.parametrize("measure", ["nbs", "ridge_cv_100"])
def test_times_and_conditions_are_samples(kind, measure, tmp_path, request):
    x, y = (side.reshape(10, 30, -1) for side in draw())
    expected = in_memory(x, y, measure)
    request.getfixturevalue("in_blocks_only")
    x, y = FORMATS[kind](x, tmp_path, "x"), FORMATS[kind](y, tmp_path, "y")
    assert sb.score(x, y, measure, memory_limit=LIMIT) == pytest.approx(expected, rel=1e-10)


def test_groups_are_held_out_together(request):
    x, y = draw()
    groups = np.random.default_rng(1).integers(0, 8, size=300)
    expected = in_memory(x, y, "ridge_cv_10", groups=groups)
    request.getfixturevalue("in_blocks_only")
    found = sb.score(x, y, "ridge_cv_10", groups=groups, memory_limit=LIMIT)
    assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("widths", [(400, 300), (400, 8), (8, 400)])
@pytest.mark.parametrize("kind", ["npy", "hdf5", "dask"])
@pytest.mark.parametrize(
    "measure", ["cka", "cka_debiased", "procrustes_distance", "ridge_cv_tuned", "svcca", "hsic"]
)
def test_more_neurons_than_samples(widths, kind, measure, tmp_path, request):
    x, y = (side.astype(np.float32) for side in draw(30, widths))
    expected = in_memory(x, y, measure)
    request.getfixturevalue("in_blocks_only")
    x, y = FORMATS[kind](x, tmp_path, "x"), FORMATS[kind](y, tmp_path, "y")
    assert sb.score(x, y, measure, memory_limit=1e-4) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    "measure", ["linreg", "cca", "pwcca", "linreg_reverse", "svcca_r2", "svcca_0.9"]
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_dependent_neurons_add_nothing(measure, dtype, request):
    x, y = draw()
    x, y = (np.hstack([side, side[:, :2] - side[:, 2:4]]).astype(dtype) for side in (x, y))
    expected = in_memory(x, y, measure)
    request.getfixturevalue("in_blocks_only")
    found = sb.score(x, y, measure, memory_limit=1e-4)
    assert found == pytest.approx(expected, rel=1e-10)


def test_stored_and_dask_arrays_can_be_mixed(tmp_path):
    x, y = draw()
    expected = in_memory(x, y, "cka")
    mapped, lazy = as_npy(x, tmp_path, "x"), as_dask(y, tmp_path, "y")
    assert sb.score(mapped, lazy) == pytest.approx(expected, rel=1e-12)


def test_dask_arrays_are_computed_by_dask_alone():
    x, y = (dask.array.from_array(side, chunks=(70, 3)) for side in draw())
    computed = []

    def scheduler(graph, keys, **options):
        computed.append(keys)
        return dask.get(graph, keys, **options)

    with dask.config.set(scheduler=scheduler):
        sb.score(x, y, "nbs")
    assert computed


def test_no_block_is_larger_than_allowed(tmp_path):
    class Watched:
        def __init__(self, array):
            self.array, self.shape, self.dtype, self.rows = array, array.shape, array.dtype, []

        def __getitem__(self, part):
            block = self.array[part]
            self.rows.append(len(block))
            return block

    x, y = (Watched(as_npy(side, tmp_path, str(i))) for i, side in enumerate(draw()))
    sb.score(x, y, memory_limit=LIMIT)
    assert max(x.rows + y.rows) * (9 + 6) * 8 <= LIMIT * 1e9 / 4
    # Statistics, the products with the other side, and those with itself.
    assert sum(x.rows) == sum(y.rows) == 3 * 300


def test_arrays_above_the_free_memory_are_read_in_blocks(monkeypatch, request):
    x, y = draw()
    expected = in_memory(x, y, "cka")
    memory = psutil.virtual_memory()._replace(available=100_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    request.getfixturevalue("in_blocks_only")
    assert sb.score(x, y) == pytest.approx(expected, rel=1e-12)


def test_small_arrays_are_scored_in_memory(tmp_path, monkeypatch):
    x, y = draw()
    monkeypatch.setattr("scorebounds.analyses.models.score_pair", lambda *_: 0.25)
    for make in (as_npy, as_hdf5, as_zarr):
        assert sb.score(make(x, tmp_path, "x"), make(y, tmp_path, "y")) == 0.25


@pytest.mark.parametrize(
    ("measure", "options", "message"),
    [
        ("soft_matching", {"memory_limit": LIMIT}, r"0\.000144 GB in memory, above the .*4e-05 GB"),
        ("linreg_cv", {"memory_limit": LIMIT}, "cannot be computed in blocks: it needs more of"),
        ("cka", {"memory_limit": 1e-7}, "in blocks needs about .* GB, above .* take fewer neurons"),
        ("cka", {"memory_limit": 0}, "expected a memory_limit above 0 GB, got 0"),
    ],
)
def test_what_does_not_fit_is_refused(measure, options, message):
    with pytest.raises(ValueError, match=message):
        sb.score(*draw(), measure, **options)


def test_rotating_wide_data_must_not_change_the_score():
    x, y = draw(30, (400, 8))
    with pytest.raises(ValueError, match="x has more neurons than samples, and rotating"):
        sb.score(x, y, "pwcca", memory_limit=5e-5)


def broken(kind):
    x, y = draw()
    if kind == "nan":
        y[200, 3] = np.nan
    if kind == "constant":
        y[:] = 3.7
    return (x, y[:-1]) if kind == "short" else (x, y)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("nan", r"expected finite values, got NaN or infinity in y, 1 neuron\(s\): number 3"),
        ("constant", "expected y that varies over samples"),
        ("short", r"same samples, got shapes \(300, 9\) and \(299, 6\)"),
    ],
)
def test_checks_are_those_of_arrays_in_memory(kind, message):
    with pytest.raises(ValueError, match=message):
        sb.score(*broken(kind), memory_limit=LIMIT)


def test_rows_of_other_names_are_refused():
    x, y = (xr.DataArray(side, dims=("sample", "neuron")) for side in draw())
    names = [f"image {i}" for i in range(300)]
    x, y = x.assign_coords(sample=names), y.assign_coords(sample=names[::-1])
    with pytest.raises(ValueError, match="rows of both sides in one order"):
        sb.score(x, y, memory_limit=LIMIT)


def test_warning_of_saturation_remains():
    x, y = draw(30, (5, 29))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert sb.score(x, y, "linreg", memory_limit=1e-5 * 3) == pytest.approx(1)
    assert [each.category for each in caught] == [sb.measures.SaturatedScoreWarning]


def test_changes_of_a_private_mapping_are_kept(tmp_path):
    np.save(tmp_path / "a.npy", draw()[0])
    mapped = np.load(tmp_path / "a.npy", mmap_mode="c")
    mapped[0] = 7
    reduce_blocks(lambda _, block: block.sum(), lambda a, b: a + b, [Stored(mapped, "x")], 10)
    assert (mapped[0] == 7).all()


def test_one_minibatch_is_debiased_cka():
    x, y = map(torch.from_numpy, draw(60))
    cka = MinibatchCKA()
    cka.update(x, y)
    assert cka.score() == pytest.approx(registry.load("cka_debiased").score(x, y).item(), rel=1e-12)


def test_minibatches_average_the_estimator_of_song():
    x, y = draw(60, seed=3)

    def hsic(first, second):
        k, ell = first @ first.T, second @ second.T
        np.fill_diagonal(k, 0)
        np.fill_diagonal(ell, 0)
        n = len(k)
        one = np.ones(n)
        terms = (k * ell).sum() + (one @ k @ one) * (one @ ell @ one) / ((n - 1) * (n - 2))
        return (terms - 2 / (n - 2) * one @ k @ ell @ one) / (n * (n - 3))

    cka, parts = MinibatchCKA(), []
    for rows in np.split(np.arange(60), [20, 36]):
        cka.update(torch.from_numpy(x[rows]), torch.from_numpy(y[rows]))
        pairs = ((x, y), (x, x), (y, y))
        parts.append([hsic(a[rows], b[rows]) for a, b in pairs])
    between, of_x, of_y = np.mean(parts, axis=0)
    assert cka.score() == pytest.approx(between / np.sqrt(of_x * of_y), rel=1e-10)


def test_minibatches_that_say_nothing_are_refused():
    with pytest.raises(ValueError, match="at least one minibatch"):
        MinibatchCKA().score()
    with pytest.raises(ValueError, match="at least 4 samples for a minibatch of CKA"):
        MinibatchCKA().update(torch.randn(3, 2), torch.randn(3, 2))
