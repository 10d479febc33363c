"""How tables of two runs are compared, of which the reliability drill makes use."""

import numpy as np
import pandas as pd
import pytest

from helpers.tables import require_agreement

TABLE = pd.DataFrame(
    {
        "dataset": ["a", "b", "c"],
        "steps": [5000, 10, 3],
        "score": [0.5, np.nan, 0.25],
        "share": [2.0, np.inf, 400.0],
    }
)


def changed(column, row, value):
    table = TABLE.copy()
    table[column] = table[column].astype(object if column == "dataset" else float)
    table.loc[row, column] = value
    return table


@pytest.mark.parametrize(
    ("column", "row", "value"),
    [("steps", 2, 3.004), ("score", 0, 0.5 + 9e-7), ("share", 0, 2 + 3e-4), ("score", 1, np.nan)],
)
def test_rounding_of_a_column_is_accepted(column, row, value):
    require_agreement(changed(column, row, value), TABLE, 1e-6)


@pytest.mark.parametrize(
    ("column", "row", "value"),
    [
        ("score", 0, 0.5 + 2e-6),  # less than 1e-6 of the steps, which are in another column
        ("score", 1, 0.0),
        ("score", 2, np.nan),
        ("steps", 2, 3.1),
        ("share", 1, 9.0),
        ("share", 0, 2 + 5e-4),  # the infinite share is no scale
        ("dataset", 0, "d"),
    ],
)
def test_other_difference_is_refused(column, row, value):
    with pytest.raises(AssertionError):
        require_agreement(changed(column, row, value), TABLE, 1e-6)


@pytest.mark.parametrize("other", [TABLE[:2], TABLE.drop(columns="score"), TABLE.assign(more=1.0)])
def test_other_rows_and_columns_are_refused(other):
    for ours, theirs in ((TABLE, other), (other, TABLE)):
        with pytest.raises(AssertionError):
            require_agreement(ours, theirs, 1e-6)
