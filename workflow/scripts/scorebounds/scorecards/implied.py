"""Scores of other measures that a score implies."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from scorebounds.ranges.bounds import base_of, from_base, outer_range, to_base
from scorebounds.ranges.certificate_lower import LowerDual
from scorebounds.ranges.certificate_upper import UpperDual
from scorebounds.ranges.reach_lower import reach_lower
from scorebounds.ranges.reach_upper import reach_upper

# Measures between which there are proven bounds, with their angular forms.
BOUNDED = ("cka", "nbs", "linreg")
ALLOWED_COLUMNS = ["given", "score", "implied", "implied_score", "outer_low", "outer_high"]
ALLOWED_COLUMNS += ["attained_low", "attained_high", "attained_at"]


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
        the score of `given`, the model's own `implied_score`, and the range attained where `given`
        is `attained_at`: the score itself for NBS and angular Procrustes at a CKA, else the nearest
        score that was searched.
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
            ends = (np.nan, np.nan, np.nan)
            if region is not None:
                ends = _nearest(region, score)
                n_outside = int(scores.n_samples.max()) - 1 - len(spectrum)
                if (base_of(given), base_of(implied)) == ("cka", "nbs"):
                    ends = _attained_nbs((given, implied), score, spectrum, rank, n_outside) or ends
            values = [given, score, implied, implied_score, outer[0][0], outer[1][0], *ends]
            rows.append(dict(zip(ALLOWED_COLUMNS, values, strict=True)))
    return pd.DataFrame(rows, columns=ALLOWED_COLUMNS)


def _nearest(region: pd.DataFrame, score: float) -> tuple[float, float, float]:
    """Return the ends that were attained at the value of the grid nearest to the score, and it."""
    if not region.a_value.min() <= score <= region.a_value.max():
        return np.nan, np.nan, np.nan
    row = region.iloc[int((region.a_value - score).abs().to_numpy().argmin())]
    return float(row.attained_lower), float(row.attained_upper), float(row.a_value)


def _attained_nbs(
    pair: tuple[str, str], score: float, spectrum: np.ndarray, rank: int, n_outside: int
) -> tuple[float, float, float] | None:
    """Return ends of NBS, or its angular form, of data that are known explicitly, at any CKA.

    None where the samples leave too few directions outside X for the lower end.
    """
    cka = float(to_base(pair[0], np.array(score)))
    if n_outside < rank or not 0 < cka < 1:
        return None
    low = reach_lower(LowerDual(spectrum, cka, rank)).score
    high = reach_upper(UpperDual(spectrum, cka, outside=True)).score
    low, high = (float(from_base(pair[1], np.array(end))) for end in (low, high))
    return low, high, score
