"""What `scorebounds inspect` says of a file, and that its entry can be used."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from scorebounds.datasets.readers import custom
from scorebounds.datasets.readers.inspect import describe, inspect_file

RNG = np.random.default_rng(2)
VALUES = RNG.normal(size=(24, 5))


def describe_file(path, **entry):
    return describe(inspect_file(path, **entry))


def entry_of(text):
    (entry,) = yaml.safe_load(text[text.index("custom:") :])["custom"].values()
    return entry


def test_arrays_decisions_and_entry_of_a_file(tmp_path):
    np.savez(
        tmp_path / "my data.npz",
        rates=VALUES.astype(np.float32),
        image=[f"im{number}" for number in range(24)],
        side=np.tile([0, 1], 12),
        weights=np.ones(3),
    )
    text = describe_file(tmp_path / "my data.npz")
    for line in (
        "  'rates': 24 × 5, numbers",
        "  24 samples, 5 neurons, stored as float32",
        "  task variables: side",
        "  names of the rows: 'im0', 'im1', 'im2', …",
        "  - took 'image' as the names of the rows",
    ):
        assert line in text.splitlines()
    entry = entry_of(text)
    np.testing.assert_array_equal(custom.load(**entry).values, VALUES.astype(np.float32))


def test_what_is_said_is_structured(tmp_path):
    path = tmp_path / "d.npz"
    np.savez(path, rates=VALUES.astype(np.float32), side=np.tile([0, 1], 12))
    content = json.loads(json.dumps(inspect_file(path)))
    assert content["arrays"] == [
        {"name": "rates", "shape": [24, 5], "axes": None, "kind": "numbers"},
        {"name": "side", "shape": [24], "axes": None, "kind": "numbers"},
    ]
    assert content["problem"] is None
    assert content["reading"]["axes"] == {"sample": 24, "neuron": 5}
    assert content["reading"]["dtype"] == "float32"
    assert content["reading"]["labels"] == ["side"]
    assert content["entry"] == {"custom": {"data-d": {"path": str(path)}}}
    np.savez(path, a=VALUES, b=VALUES)
    content = inspect_file(path)
    assert content["reading"] is None
    assert "expected an array named 'activity'" in content["problem"]


def test_named_axes_are_shown(tmp_path):
    xr.DataArray(VALUES, dims=("presentation", "neuroid"), name="x").to_netcdf(tmp_path / "d.nc")
    assert "'x': 24 × 5, axes presentation, neuroid, numbers" in describe_file(tmp_path / "d.nc")


def test_what_keeps_a_file_from_being_read_is_said_with_the_remedy(tmp_path):
    np.savez(tmp_path / "d.npz", a=VALUES, b=VALUES)
    text = describe_file(tmp_path / "d.npz")
    assert "Cannot be read like this: expected an array named 'activity', got 'a', 'b'" in text
    entry = entry_of(describe_file(tmp_path / "d.npz", array="b"))
    assert entry["array"] == "b"
    np.testing.assert_array_equal(custom.load(**entry).values, VALUES)


def test_a_table_shows_what_each_column_becomes(tmp_path):
    table = pd.DataFrame(VALUES, columns=list("vwxyz"))
    table.insert(0, "stimulus_id", np.arange(24) * 7)
    table.to_csv(tmp_path / "d.csv", index=False)
    text = describe_file(tmp_path / "d.csv")
    assert "took 5 columns as neurons: v, w, x, y, z" in text
    assert "took 'stimulus_id' as the names of the rows" in text


@pytest.mark.parametrize(
    ("name", "said"), [("gone.npz", "no such file"), ("d.npz", "the file is empty")]
)
def test_a_file_without_content(tmp_path, name, said):
    (tmp_path / "d.npz").write_bytes(b"")
    try:
        text = describe_file(tmp_path / name)
    except ValueError as error:
        text = str(error)
    assert said in text


@pytest.mark.parametrize("n_names", [60, 30])
def test_columns_of_a_table_are_one_line_and_an_unnamed_one_is_named_in_words(tmp_path, n_names):
    values = np.random.default_rng(0).normal(size=(60, 30))
    index = [f"im{number % n_names}" for number in range(60)]
    pd.DataFrame(values, index=index).to_csv(tmp_path / "d.csv")
    text = describe(inspect_file(tmp_path / "d.csv"))
    assert (
        "Columns: 30 of numbers, 1 of text, with 60 rows: one without a name, '0', '1', …, '29'"
        in text
    )
    assert "stored the column without a name as 'row'" in text
    assert ("names of the rows: 'im0', 'im1', 'im2', …" in text) == (n_names == 60)
