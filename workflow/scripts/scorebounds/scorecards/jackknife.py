"""Intervals of scores over conditions and neurons by the delete-a-group jackknife.

Groups of conditions and groups of the recording's neurons are left out in turn. Both variances
contain the interaction of conditions and neurons; it is estimated from groups of both left out
together and subtracted once (Schütt et al. 2023). The mean of the replicates gives the bias that
comes from few conditions and few neurons. A bootstrap would draw samples twice, which raises every
measure of similarity. All models of a recording lose the same groups, so that their difference is
known better than either score.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scorebounds.core.intervals import half_width

CONDITIONS, NEURONS, BOTH = "conditions", "neurons", "both"
# Standard deviation of corrected CKA and RSA over that of their raw scores' jackknife estimate, in
# simulations with 72 conditions and 19 or 100 neurons (docs/models.md).
WIDENING = 1.2
# Share of the replicates that have to be defined.
LEAST_DEFINED = 0.7


@dataclass(frozen=True)
class JackknifeEstimate:
    """What the replicates say about a score.

    Attributes
    ----------
    bias : float
        Of the score, because the conditions and neurons are few; score − bias is corrected.
    ci_half_width : float
        Half the width of the 95 % interval of the score.
    ci_half_width_corrected : float
        The same of score − bias. The correction adds variance of its own: the interaction is
        counted for either factor, and the sum widened by `WIDENING`. All are NaN without
        replicates.
    """

    bias: float
    ci_half_width: float
    ci_half_width_corrected: float


def jackknife_estimate(score: float, replicates: pd.DataFrame) -> JackknifeEstimate:
    """Return bias and 95 % interval of a score.

    Parameters
    ----------
    score : float
        With all conditions and neurons.
    replicates : DataFrame
        Of one measure and model, from `jackknife_replicates`.
    """
    missing = JackknifeEstimate(*[float("nan")] * 3)
    defined = replicates[replicates.score.notna()]
    groups = {str(kind): rows for kind, rows in defined.groupby("left_out")}
    if CONDITIONS not in groups or len(defined) < LEAST_DEFINED * len(replicates):
        return missing
    bias, variances, n_free = 0.0, [], []
    for kind in (CONDITIONS, NEURONS):
        if kind not in groups:
            continue
        values = groups[kind].score.to_numpy()
        bias += (len(values) - 1) * (float(values.mean()) - score)
        variances.append((len(values) - 1) * float(values.var()))
        n_free.append(len(values) - 1)
    if min(n_free) < 1:
        return missing
    total = max(sum(variances) - _interaction_variance(score, groups), *variances, 0.0)
    return JackknifeEstimate(
        bias,
        half_width(total**0.5, min(n_free)),
        WIDENING * half_width(sum(variances) ** 0.5, min(n_free)),
    )


def _interaction_variance(score: float, groups: dict[str, pd.DataFrame]) -> float:
    """Estimate the share of conditions × neurons in the variance of a score.

    The interaction of group i and group j shows in ψ = θ(−i, −j) − θ(−i) − θ(−j) + θ. For a mean
    over cells its variance is (g − 1)(h − 1) times the mean of ψ² over the cells.
    """
    if BOTH not in groups or NEURONS not in groups:
        return 0.0
    without_conditions = groups[CONDITIONS].set_index("group").score
    without_neurons = groups[NEURONS].set_index("neuron_group").score
    cells = groups[BOTH]
    psi = (
        cells.score.to_numpy()
        - without_conditions.reindex(cells.group).to_numpy()
        - without_neurons.reindex(cells.neuron_group).to_numpy()
        + score
    )
    factor = (len(without_conditions) - 1) * (len(without_neurons) - 1)
    finite = psi[np.isfinite(psi)]
    return factor * float(np.mean(finite**2)) if len(finite) else 0.0
