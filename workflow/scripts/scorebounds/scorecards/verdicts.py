"""Interpret a model's scores: position on the optimisation curve, verdict, implied scores."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from scorebounds.ranges.bounds import base_of, outer_range

SIGNIFICANT = 0.05
# How far below the score of the recording with itself a perfect score may be: rounding.
ROUNDING = 1e-6
# R² from which on a model explains a PC; the same middle as of capture on the way from nothing.
EXPLAINED = 0.5
N_SHOWN = 3
CHANCE, BETTER, AT_CEILING, PERFECT, UNDEFINED = (
    "not better than chance",
    "better than chance",
    "within the noise ceiling",
    "perfect",
    "not defined",
)
# Measures between which there are proven bounds, with their angular forms.
BOUNDED = ("cka", "nbs", "linreg")
POSITION_COLUMNS = ["n_pcs", "pcs_at_score", "variance_at_score", "variables_at_score"]
POSITION_COLUMNS += ["variables_missing"]
ALLOWED_COLUMNS = ["given", "score", "implied", "implied_score", "outer_low", "outer_high"]
ALLOWED_COLUMNS += ["attained_low", "attained_high"]

Row = Mapping[Any, Any]


def interpret(
    scores: pd.DataFrame, components: pd.DataFrame, thresholds: pd.DataFrame
) -> pd.DataFrame:
    """Add to each score its position on the optimisation curve, a verdict and a sentence.

    Parameters
    ----------
    scores : DataFrame
        Of one model, from `scorecards.score_model`.
    components : DataFrame
        What the model explains of each PC, from `scorecards.explained_components`.
    thresholds : DataFrame
        Of the reference: columns measure, kind, target, variance_ratio, score_mean.

    Returns
    -------
    DataFrame
        `scores` with `POSITION_COLUMNS`, missing for a measure that nothing was optimised towards;
        `pcs_of_model`, `variance_of_model`: what the model itself explains; `verdict`, `sentence`.
    """
    positions = pd.DataFrame(
        [
            position_on_curve(
                row["score"],
                thresholds[thresholds.measure == row["measure"]],
                higher_is_closer=row["higher_is_closer"],
            )
            for row in scores.to_dict("records")
        ],
        columns=POSITION_COLUMNS,
    )
    table = pd.concat([scores.reset_index(drop=True), positions], axis=1)
    known = components.r2.notna().any()
    explained = components.r2 >= EXPLAINED
    table["pcs_of_model"] = explained.sum() if known else np.nan
    share = (components.variance_ratio * components.r2).sum()
    table["variance_of_model"] = share if known else np.nan
    rows: list[dict[Any, Any]] = table.to_dict("records")
    table["verdict"] = [verdict(row) for row in rows]
    table["sentence"] = [
        sentence({**row, "verdict": said}, components)
        for row, said in zip(rows, table.verdict, strict=True)
    ]
    return table


def position_on_curve(
    score: float, thresholds: pd.DataFrame, *, higher_is_closer: bool
) -> dict[str, Any]:
    """Return what data that were optimised to a score have captured of the reference."""
    pcs = thresholds[thresholds.kind == "pc"]
    if pcs.empty or np.isnan(score):
        return {}
    passed = thresholds.score_mean <= score if higher_is_closer else thresholds.score_mean >= score
    variables = thresholds[thresholds.kind == "variable"]
    captured = pcs[passed[pcs.index]]
    return {
        "n_pcs": len(pcs),
        "pcs_at_score": len(captured),
        "variance_at_score": captured.variance_ratio.sum(),
        "variables_at_score": " ".join(variables.target[passed[variables.index]]),
        "variables_missing": " ".join(variables.target[~passed[variables.index]]),
    }


def verdict(row: Row) -> str:
    """Say in a few words how good a score is."""
    if np.isnan(row["score"]):
        return UNDEFINED
    sign = 1 if row["higher_is_closer"] else -1
    if sign * (row["score"] - row["self_score"]) >= -ROUNDING:
        return PERFECT
    if row["p"] > SIGNIFICANT:
        return CHANCE
    ceiling = row["ceiling_low"] if row["higher_is_closer"] else row["ceiling_high"]
    return AT_CEILING if sign * (row["score"] - ceiling) >= 0 else BETTER


def sentence(row: Row, components: pd.DataFrame) -> str:
    """Say in plain words, with the numbers, what a score means."""
    score = _number(row["score"])
    if row["verdict"] == UNDEFINED:
        return f"Not defined: {row['note']}."
    shuffled = f"{row['n_permutations']:.0f} shuffles of its conditions"
    chance = f"{_number(row['null_mean'])} on average"
    if row["verdict"] == CHANCE:
        return (
            f"Not better than chance: {score}, where {shuffled} give {chance}, from "
            f"{_number(row['null_low'])} to {_number(row['null_high'])} (p = {row['p']:.2g})."
        )
    if row["verdict"] == PERFECT:
        said = f"Perfect: {score}, as the recording with itself."
        return (
            said if _explains_all(components) else f"{said} {_missing_components(row, components)}"
        )
    said = f"{score} against {chance} of {shuffled} (p = {row['p']:.2g})"
    parts = [f"{row['verdict'].capitalize()}: {said}{_ceiling_clause(row)}."]
    parts += _position_sentence(row)
    return " ".join([*parts, _missing_components(row, components)]).strip()


def _ceiling_clause(row: Row) -> str:
    low, high = row["ceiling_low"], row["ceiling_high"]
    if np.isnan(low):
        return ""
    between = f"a model without fault would have {_number(low)} to {_number(high)}"
    return f"; {between}, as the noise of the trials goes"


def _position_sentence(row: Row) -> list[str]:
    """Say what data with this score have captured."""
    if pd.isna(row["n_pcs"]):
        return []
    some = row["pcs_at_score"] > 0
    captured = f"{row['pcs_at_score']:.0f}" if some else "none"
    said = f"Data optimised to this score have captured {captured} of {row['n_pcs']:.0f} PCs"
    if some:
        said += f" ({row['variance_at_score']:.0%} of the variance)"
    got, missing = row["variables_at_score"].split(), row["variables_missing"].split()
    if got:
        said += f" and {_listed(got)}"
    if missing:
        none = "and none" if not some and not got else "but none"
        said += f", {'but not' if got else f'{none} of the variables'} {_listed(missing)}"
    return [f"{said}."]


def _explains_all(components: pd.DataFrame) -> bool:
    return not (components.r2 < EXPLAINED).any()


def _missing_components(row: Row, components: pd.DataFrame) -> str:
    """Say which PCs the model itself does not explain, the largest of them."""
    if pd.isna(row["variance_of_model"]):
        return ""
    missed = components[components.r2 < EXPLAINED]
    said = f"The model itself explains {row['variance_of_model']:.0%} of the variance"
    if missed.empty:
        return f"{said} and at least half of every PC."
    shown = missed.head(N_SHOWN)
    names = [
        f"{number} ({ratio:.1%})"
        for number, ratio in zip(shown.target, shown.variance_ratio, strict=True)
    ]
    rest = len(missed) - len(shown)
    names += [f"{rest} more"] * (rest > 0)
    return f"{said}; it lacks PC{'s' * (len(missed) > 1)} {_listed(names)}."


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.3g}"


def allowed_scores(
    scores: pd.DataFrame, components: pd.DataFrame, regions: Sequence[pd.DataFrame]
) -> pd.DataFrame:
    """Return which scores of other measures go with each score of a model.

    Parameters
    ----------
    scores : DataFrame
        Columns measure, score, n_neurons (of the model).
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
    rank = max(int(scores.n_neurons.max()), len(spectrum))
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
            outer = outer_range(given, implied, np.array([score]), spectrum, rank)
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
