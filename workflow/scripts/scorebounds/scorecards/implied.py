"""Scores of other measures that a score implies."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from scorebounds.ranges.bounds import base_of, outer_range

# Measures between which there are proven bounds, with their angular forms.
BOUNDED = ("cka", "nbs", "linreg")
ALLOWED_COLUMNS = ["given", "score", "implied", "implied_score", "outer_low", "outer_high"]
ALLOWED_COLUMNS += ["attained_low", "attained_high"]


def allowed_scores(
    scores: pd.DataFrame, components: pd.DataFrame, regions: Sequence[pd.DataFrame]
) -> pd.DataFrame:
    """Return which scores of other measures go with each score of a model.

    Parameters
    ----------
    scores : DataFrame
        Columns measure, score, n_samples, n_neurons (of the model).
    components : DataFrame
        A row per PC of the reference, with its variance_ratio.
    regions : sequence of DataFrame
        Ranges of the reference, from `ranges.region`; they hold for a model of at most X's width.

    Returns
    -------
    DataFrame
        `ALLOWED_COLUMNS`: per ordered pair of measures with a proven bound or a range, the bound at
        the score of `given`, the range attained there, and the model's own `implied_score`.
    """
    spectrum = components.variance_ratio.to_numpy()
    # Centring takes one dimension from the samples.
    rank = max(int(min(scores.n_neurons.max(), scores.n_samples.max() - 1)), len(spectrum))
    known = dict(zip(scores.measure, scores.score, strict=True))
    attained = {(region.a.iloc[0], region.b.iloc[0]): region for region in regions}
    rows = []
    for given, score in known.items():
        for implied, implied_score in known.items():
            bounded = {base_of(given), base_of(implied)} <= set(BOUNDED)
            region = attained.get((given, implied))
            if base_of(given) == base_of(implied) or np.isnan(score + implied_score):
                continue
            if not bounded and region is None:
                continue
            outer = outer_range(given, implied, np.array([score]), spectrum, rank, quick=True)
            ends = _attained_at(region, score) if region is not None else (np.nan, np.nan)
            values = [given, score, implied, implied_score, outer[0][0], outer[1][0], *ends]
            rows.append(dict(zip(ALLOWED_COLUMNS, values, strict=True)))
    return pd.DataFrame(rows, columns=ALLOWED_COLUMNS)


def _attained_at(region: pd.DataFrame, score: float) -> tuple[float, float]:
    """Read a range between the values of its grid."""
    if not region.a_value.min() <= score <= region.a_value.max():
        return np.nan, np.nan
    low, high = (
        np.interp(score, region.a_value, region[f"attained_{end}"]) for end in ("lower", "upper")
    )
    return float(low), float(high)
