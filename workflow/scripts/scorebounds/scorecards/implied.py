"""Scores of other measures that a score implies."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd

from scorebounds.ranges.bounds import SIGNED, base_of, from_base, outer_range, to_base
from scorebounds.ranges.certificate_lower import LowerDual
from scorebounds.ranges.certificate_upper import UpperDual
from scorebounds.ranges.linked_bounds import Samples, link_of
from scorebounds.ranges.proven import proven_bounds
from scorebounds.ranges.reach_lower import reach_lower
from scorebounds.ranges.reach_upper import reach_upper

# Measures between which there are proven bounds, with their angular forms.
BOUNDED = ("cka", "nbs", "linreg")
ALLOWED_COLUMNS = ["given", "score", "implied", "implied_score", "outer_low", "outer_high"]
ALLOWED_COLUMNS += ["bound", "attained_low", "attained_high", "attained_at"]
# A bound of another measure that excludes less of the scale says nothing.
LEAST_EXCLUDED = 0.1


def allowed_scores(
    scores: pd.DataFrame, components: pd.DataFrame, regions: Sequence[pd.DataFrame]
) -> pd.DataFrame:
    """Return which scores of other measures go with each score of a model.

    Parameters
    ----------
    scores : DataFrame
        Columns measure, score, n_samples, n_neurons (of the model).
    components : DataFrame
        A row per PC of the reference, with its variance_ratio; `unevenness` of the reference's rows
        where it is known (`linked_bounds.Samples`).
    regions : sequence of DataFrame
        Ranges of the reference, from `ranges.region`; they hold for a model of at most X's width.

    Returns
    -------
    DataFrame
        `ALLOWED_COLUMNS`: per ordered pair of measures with a proven bound or a range, the bound at
        the score of `given`, how tight it is (`proven_bounds`), the model's own `implied_score`,
        and the range attained where `given` is `attained_at`: the score itself for NBS and angular
        Procrustes at a CKA, else the nearest score that was searched. Ends without a bound are NaN.
    """
    spectrum = components.variance_ratio.to_numpy()
    n_samples = int(scores.n_samples.max())
    # Centring takes one dimension from the samples.
    rank = max(int(min(scores.n_neurons.max(), n_samples - 1)), len(spectrum))
    n_outside = n_samples - 1 - len(spectrum)
    samples = None
    if "unevenness" in components:
        samples = Samples(n_samples, float(components.unevenness.iloc[0]))
    known = dict(zip(scores.measure, scores.score, strict=True))
    attained = {(region.a.iloc[0], region.b.iloc[0]): region for region in regions}
    rows = []
    for (given, score), (implied, implied_score) in product(known.items(), known.items()):
        region = attained.get((given, implied))
        if base_of(given) == base_of(implied) or np.isnan(score + implied_score):
            continue
        is_direct = {base_of(given), base_of(implied)} <= set(BOUNDED)
        low, high, bound = np.nan, np.nan, ""
        if _are_bounded(given, implied, spectrum, rank, samples):
            outer = outer_range(
                given, implied, np.array([score]), spectrum, rank, quick=True, samples=samples
            )
            low, high = (float(end[0]) for end in outer)
            bound = "exact" if is_direct and "linreg" in (given, implied) else "proven"
        if region is None and not is_direct and not _says_something(implied, low, high):
            continue
        ends = (np.nan, np.nan, np.nan)
        if region is not None:
            ends = _nearest(region, score)
            if (base_of(given), base_of(implied)) == ("cka", "nbs"):
                table = proven_bounds(
                    spectrum, given, score, rank=rank, outside=n_outside > 0
                ).set_index("measure")
                low, high = float(table.low[implied]), float(table.high[implied])
                bound = str(table.bound[implied])
                ends = _attained_nbs((given, implied), score, spectrum, rank, n_outside) or ends
        values = [given, score, implied, implied_score, low, high, bound, *ends]
        rows.append(dict(zip(ALLOWED_COLUMNS, values, strict=True)))
    return pd.DataFrame(rows, columns=ALLOWED_COLUMNS)


def _are_bounded(
    given: str, implied: str, spectrum: np.ndarray, rank: int, samples: Samples | None
) -> bool:
    """Tell whether there are bounds of one measure by the other without a third between them."""
    bases = base_of(given), base_of(implied)
    if set(bases) <= set(BOUNDED):
        return True
    links = [link_of(base, spectrum, rank, samples) for base in bases]
    return any(
        link is not None and link.hub == other
        for link, other in zip(links, reversed(bases), strict=True)
    )


def _says_something(implied: str, low: float, high: float) -> bool:
    least = -1 if implied in SIGNED else 0
    return low > least + LEAST_EXCLUDED or high < 1 - LEAST_EXCLUDED


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
