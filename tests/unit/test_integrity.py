"""Files of results that were cut or changed are refused where they are read."""

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from scorebounds.core.integrity import digest_path
from scorebounds.core.recording import read_halves, read_recording, recording, write_recording
from scorebounds.core.tables import open_dataset, read_table, write_dataset, write_table

TABLE = pd.DataFrame({"dataset": ["a", "b", "c", "d"], "score": [0.1, np.nan, 0.3, 0.4]})


def test_table_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "scores.csv"
    write_table(path, TABLE)
    assert read_table(path).equals(TABLE)
    write_table(path, TABLE.iloc[:2])
    assert read_table(path).equals(TABLE.iloc[:2])


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[: content.index(b"\nc,") + 1],
        lambda content: content.replace(b"0.3", b"0.9"),
        lambda content: b"",
    ],
    ids=["half", "whole rows", "one digit", "empty"],
)
def test_cut_or_changed_table_is_refused(tmp_path, damage):
    path = tmp_path / "scores.csv"
    write_table(path, TABLE)
    path.write_bytes(damage(path.read_bytes()))
    sentence = rf"{re.escape(str(path))}: expected the file as it was written .* delete it and run"
    with pytest.raises(ValueError, match=sentence):
        read_table(path)


def test_table_without_a_digest_is_read(tmp_path):
    path = tmp_path / "scores.csv"
    write_table(path, TABLE)
    digest_path(path).unlink()
    path.write_text("dataset,score\na,0.5\n")
    assert read_table(path).score.tolist() == [0.5]


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.999])
@pytest.mark.parametrize("read", [read_recording, read_halves, open_dataset])
def test_cut_netcdf_file_is_refused(tmp_path, read, share):
    path = tmp_path / "data.nc"
    activity = np.random.default_rng(0).standard_normal((40, 5))
    if read is open_dataset:
        write_dataset(path, xr.Dataset({"score": ("step", activity[:, 0])}))
    else:
        write_recording(path, recording(activity, halves=(activity, activity)), "data")
    read(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    sentence = rf"{re.escape(str(path))}: expected a complete netCDF file, .* delete it and run"
    with pytest.raises(ValueError, match=sentence):
        read(path)


def test_missing_netcdf_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.nc"):
        read_recording(tmp_path / "none.nc")
