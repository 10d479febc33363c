"""The one or two sentences at the top of a score card."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from scorebounds.core.measure_table import measure_label
from scorebounds.scorecards.verdicts import (
    ABOVE_CHANCE,
    AT_CEILING,
    EXPLAINED,
    N_SHOWN,
    PERFECT,
    SIGNIFICANT,
    UNDECIDED,
    UNDEFINED,
    UNINFORMATIVE,
    listed,
    number,
)

# A measure whose meaning readers know is quoted first, where it is on the card.
QUOTED = ("cka", "cka_debiased", "nbs", "procrustes_angular")


def headline(card: pd.DataFrame, model: str, reference: str) -> str:
    """Say in one or two sentences whether a model is close to a recording.

    Parameters
    ----------
    card : DataFrame
        From `verdicts.interpret`.
    model, reference : str
        Their names.
    """
    decided = card[~card.verdict.isin([UNDEFINED, UNINFORMATIVE, UNDECIDED])]
    if decided.empty:
        return f"No measure on this card can tell how close {model} is to {reference}."
    above = decided[decided.verdict.isin(ABOVE_CHANCE)]
    first = _chance_sentence(decided, above, model, reference)
    if above.empty:
        return f"{first} Nothing on this card shows that {model} is like {reference}."
    return " ".join([first, *_ceiling_sentence(above), *_captured_sentence(above, reference)])


def _chance_sentence(decided: pd.DataFrame, above: pd.DataFrame, model: str, reference: str) -> str:
    n = len(decided)
    if len(above) == n:
        by = {1: "the one measure", 2: "both measures"}.get(n, f"all {n} measures")
        said = f"{model} is closer to {reference} than chance by {by}"
    elif above.empty:
        by = "the one measure" if n == 1 else f"any of {n} measures"
        said = f"{model} is not distinguishable from chance by {by}"
    else:
        rest = decided[~decided.index.isin(above.index)]
        said = f"{model} is closer to {reference} than chance by {len(above)} of {n} measures"
        said += f", not by {_names(rest.measure)}"
    perfect = above[above.verdict == PERFECT]
    if len(perfect):
        said += f", and perfect by {_names(perfect.measure) if len(perfect) < n else 'all'}"
    return f"{said}{' (corrected for their number)' if n > 1 else ''}."


def _ceiling_sentence(above: pd.DataFrame) -> list[str]:
    known = above[above.ceiling.notna()]
    if known.empty:
        return []
    at_ceiling = known[known.verdict.isin([AT_CEILING, PERFECT])]
    if at_ceiling.empty:
        by = "the one" if len(known) == 1 else f"all {len(known)}"
        return [f"It is below the noise ceiling by {by} that have one."]
    if len(at_ceiling) == len(known):
        return ["It reaches the noise ceiling wherever there is one."]
    return [f"It reaches the noise ceiling by {_names(at_ceiling.measure)} only."]


def _captured_sentence(above: pd.DataFrame, reference: str) -> list[str]:
    """Quote one measure: what data with this score have captured."""
    known = above[above.n_pcs.notna()].set_index("measure")
    name = next((name for name in (*QUOTED, *known.index) if name in known.index), None)
    if name is None:
        return []
    row = known.loc[name]
    said = (
        f"Data with its {measure_label(name)} of {number(row.score)} capture "
        f"{row.pcs_at_score:.0f} of {row.n_pcs:.0f} components of {reference}"
    )
    missing = row.variables_missing
    if isinstance(missing, str) and missing.split():
        said += (
            f"; decoding {listed([f'`{each}`' for each in missing.split()])} needs a higher score"
        )
    return [f"{said}."]


def _names(measures: Iterable[str]) -> str:
    labels = [measure_label(name) for name in measures]
    if len(labels) > N_SHOWN:
        labels = [*labels[:N_SHOWN], f"{len(labels) - N_SHOWN} more"]
    return listed(labels)


def model_statement(components: pd.DataFrame) -> str:
    """Say once per card what the model itself explains of held-out conditions.

    Parameters
    ----------
    components : DataFrame
        From `explained.explained_components`.
    """
    if components.r2.isna().all():
        return "There are too few conditions to say what the model explains of held-out ones."
    total = components.iloc[0]
    if total.total_p > SIGNIFICANT:
        return (
            f"A linear map of the model does not explain held-out conditions better than chance "
            f"(R² {total.total_r2:.3f}; permuted conditions {total.total_r2_chance:.3f}, "
            f"p = {total.total_p:.2g})."
        )
    if total.total_r2 <= 0:
        return (
            f"A linear map of the model predicts held-out conditions worse than their mean does "
            f"(R² {total.total_r2:.3f})."
        )
    said = (
        f"A linear map of the model explains {total.total_r2:.0%} of the variance of held-out "
        f"conditions (permuted conditions: {total.total_r2_chance:.0%}, p = {total.total_p:.2g})"
    )
    if np.isfinite(total.total_explainable):
        said += f"; trial noise lets any model explain at most {total.total_explainable:.0%}"
    explained = components[components.r2 >= EXPLAINED].target
    if len(explained):
        shown = [f"{target:.0f}" for target in explained.head(N_SHOWN)]
        shown += [f"{len(explained) - N_SHOWN} more"] * (len(explained) > N_SHOWN)
        return f"{said}. It explains at least half of PC{'s' * (len(shown) > 1)} {listed(shown)}."
    return f"{said}. It explains half of no single PC."
