"""Tables of two runs whose numbers differ by rounding."""

import numpy as np
import pandas as pd


def require_agreement(
    ours: pd.DataFrame, theirs: pd.DataFrame, tolerance: float, name: str = "table"
) -> None:
    """Raise AssertionError unless numbers agree within a tolerance, and all else is equal.

    The tolerance is relative to the largest finite number of the same column of `theirs`, and
    absolute where that is below 1.
    """
    pd.testing.assert_index_equal(ours.columns, theirs.columns, obj=f"{name}, columns")
    numbers = ours.select_dtypes("number").columns
    pd.testing.assert_frame_equal(
        ours.drop(columns=numbers), theirs.drop(columns=numbers), obj=name
    )
    for column in numbers:
        expected = theirs[column].to_numpy(dtype=np.float64)
        scale = np.abs(expected[np.isfinite(expected)]).max(initial=1.0)
        np.testing.assert_allclose(
            ours[column].to_numpy(dtype=np.float64),
            expected,
            rtol=0,
            atol=tolerance * scale,
            err_msg=f"{name}, column {column}",
        )
