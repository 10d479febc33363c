"""Interpret a model's scores: a verdict and a sentence for each, with the reasons."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from scorebounds.core.intervals import half_width
from scorebounds.core.measure_table import entry_of
from scorebounds.scorecards.curve import positions_on_curves
from scorebounds.scorecards.formatting import (
    SIGNIFICANT,
    below_zero,
    between,
    decimals,
    number,
    percent,
    probability,
)
from scorebounds.scorecards.rows import SHIFTED, WITHHELD

# An R² this near to zero is that of predicting the mean.
ZERO = 1e-9
# Held-out R² from which on a model explains a PC, as for data during optimisation.
EXPLAINED = 0.5
N_SHOWN = 3
UNDEFINED = "not defined"
UNINFORMATIVE = "uninformative"
UNDECIDED = "too few conditions to decide"
TOO_FEW_DRAWN = "too few permutations to decide"
CORRELATED = "neighbouring rows are correlated"
NOT_TESTED = "not compared with chance"
WORSE_THAN_MEAN = "worse than predicting the mean"
CHANCE = "not distinguishable from chance"
BETTER = "better than chance"
AT_CEILING = "within the noise ceiling"
ABOVE_CEILING = "above the noise ceiling"
PERFECT = "perfect"
# Verdicts by which a model is better than chance.
ABOVE_CHANCE = (BETTER, AT_CEILING, ABOVE_CEILING, PERFECT)
# Verdicts by which a model scores at least as high as its noise ceiling, up to its error.
REACHES_CEILING = (AT_CEILING, ABOVE_CEILING, PERFECT)
# Verdicts that do not say whether a model is better than chance.
WITHOUT_VERDICT = (
    UNDEFINED,
    UNINFORMATIVE,
    UNDECIDED,
    TOO_FEW_DRAWN,
    CORRELATED,
    NOT_TESTED,
)
# Marks tell the verdicts apart without colour.
MARKS = {
    PERFECT: "●",
    ABOVE_CEILING: "◉",
    AT_CEILING: "◕",
    BETTER: "◐",
    CHANCE: "○",
    WORSE_THAN_MEAN: "▽",
    UNDECIDED: "?",
    TOO_FEW_DRAWN: "?",
    CORRELATED: "?",
    UNINFORMATIVE: "–",
    NOT_TESTED: "–",
    UNDEFINED: "–",
}

Row = Mapping[Any, Any]


def interpret(
    scores: pd.DataFrame, components: pd.DataFrame, thresholds: pd.DataFrame
) -> pd.DataFrame:
    """Add to each score its position on the optimisation curve, a verdict and a sentence.

    Parameters
    ----------
    scores : DataFrame
        Of one model, from `inference.score_model`.
    components : DataFrame
        What the model explains of each PC, from `explained.explained_components`.
    thresholds : DataFrame
        Of the reference: columns measure, kind, target, variance_ratio, score_mean and, where
        known, n_seeds and n_reached.

    Returns
    -------
    DataFrame
        `scores` with `curve.POSITION_COLUMNS`, missing for a measure that nothing was optimised
        towards; `pcs_of_model`, `variance_of_model`: what the model itself explains of held-out
        conditions; `verdict`, `sentence`.
    """
    scores = scores.reset_index(drop=True)
    table = pd.concat([scores, positions_on_curves(scores, thresholds)], axis=1)
    known = components.r2.notna().any()
    table["pcs_of_model"] = int((components.r2 >= EXPLAINED).sum()) if known else np.nan
    table["variance_of_model"] = components.total_r2.iloc[0] if known else np.nan
    rows: list[dict[Any, Any]] = table.to_dict("records")
    for row in rows:
        row["verdict"] = verdict(row)
    table["verdict"] = [row["verdict"] for row in rows]
    table["sentence"] = [sentence(row) for row in rows]
    return table


def verdict(row: Row) -> str:
    """Return how good a score is, as one of the verdicts of this module."""
    if np.isnan(row["score"]):
        return UNDEFINED
    if entry_of(row["measure"]).of_trajectories:
        return NOT_TESTED
    if row["n_permutations"] == 0:
        return UNDECIDED
    if not row["is_informative"]:
        return UNINFORMATIVE
    if row["exchange"] == WITHHELD:
        return CORRELATED
    if row["is_held_out_r2"] and row["score"] < -ZERO:
        return WORSE_THAN_MEAN
    if row["smallest_p"] > SIGNIFICANT:
        return UNDECIDED if row["is_exhaustive"] else TOO_FEW_DRAWN
    if not row["p_corrected"] <= SIGNIFICANT:
        return CHANCE
    if row["is_perfect"]:
        return PERFECT
    return _against_ceiling(row)


def _against_ceiling(row: Row) -> str:
    """Compare a score that is better than chance with its noise ceiling."""
    if row["ceiling_score"] > row["ceiling_high"]:
        return ABOVE_CEILING
    return AT_CEILING if reaches_ceiling(row) else BETTER


def _is_shifted(row: Row) -> bool:
    return bool(row["exchange"] == SHIFTED)


def _is_grouped(row: Row) -> bool:
    return "permuted within" in str(row.get("match_note"))


def reaches_ceiling(row: Row) -> bool:
    """Return whether a score is at most one standard error below its noise ceiling."""
    if np.isnan(row["ceiling_low"]) or np.isnan(row["ceiling_score"]):
        return False
    groups = min(10, int(row["n_conditions"]))
    error = (row["ceiling"] - row["ceiling_low"]) / half_width(1.0, groups - 1)
    return bool(row["ceiling_score"] >= row["ceiling"] - error)


def sentence(row: Row) -> str:
    """Say in plain words, with the numbers, what a score means."""
    said = row["verdict"]
    if said == UNDEFINED:
        return f"Not defined: {row['note']}."
    if said == UNINFORMATIVE:
        return _uninformative(row)
    if said == NOT_TESTED:
        return (
            f"Not compared with chance: {number(row['score'])}; this measure compares dynamics and "
            "does not pair conditions, so that permuted conditions have the same score."
        )
    digits = decimals(row)
    score = number(row["score"], digits)
    orders = "circular shifts of the rows" if _is_shifted(row) else "permutations of the conditions"
    shuffles = (
        f"{row['n_permutations']:.0f} {orders} give {number(row['null_mean'], digits)} on average"
    )
    spread = f"{between(row['null_low'], row['null_high'], digits)} for 90% of them"
    if said == CORRELATED:
        return f"No verdict: {score}. {row['order_note']}"
    if said == UNDECIDED:
        return _undecided(row, score)
    if said == TOO_FEW_DRAWN:
        kind = "circular shifts" if _is_shifted(row) else "permutations"
        return (
            f"No verdict: {score}; with {row['n_permutations']:.0f} {kind} p cannot be below "
            f"{row['smallest_p']:.2g}; at least {round(1 / SIGNIFICANT) - 1} are needed."
        )
    if said == WORSE_THAN_MEAN:
        return (
            f"Worse than predicting the mean: R² of held-out samples is "
            f"{below_zero(row['score'], digits)}, below zero; "
            f"{shuffles} ({_p(row)})."
        )
    if said == CHANCE:
        return f"Not distinguishable from chance: {score}; {shuffles}, {spread} ({_p(row)})."
    if said == PERFECT:
        return (
            f"Perfect: {score}, the score of an exact copy of the recording, up to what this "
            f"measure ignores; {shuffles} ({_p(row)})."
        )
    start = f"{said.capitalize()}: {score}; {shuffles} ({_p(row)})"
    start += _ceiling_clause(row) + _subject_clause(row)
    return " ".join([f"{start}.", *_excess_sentence(row), *_position_sentence(row)])


def _undecided(row: Row, score: str) -> str:
    within = " within their groups" if _is_grouped(row) else ""
    n, rows = int(row["n_permutations"]), "rows" if _is_shifted(row) else "conditions"
    kind = "circular shift" if _is_shifted(row) else "other order"
    orders = {0: f"no {kind}", 1: f"only 1 {kind}"}.get(n, f"only {n} {kind}s")
    return (
        f"No verdict: {score}; {row['n_conditions']:.0f} {rows} have {orders}{within}, so that p "
        f"cannot be below {row['smallest_p']:.2g}."
    )


def _uninformative(row: Row) -> str:
    units, samples = row["n_neurons"], row["n_samples"]
    order = "circular shift of the rows" if _is_shifted(row) else "permutation of the conditions"
    reason = f"no {order} changes the score"
    is_saturated = entry_of(row["measure"]).saturates and row["n_dimensions"] >= samples - 1
    if is_saturated and np.isclose(row["score"], row["perfect"]):
        counted = f"{units:.0f} unit{'' if units == 1 else 's'}"
        reason = (
            f"{samples:.0f} distinct samples, {counted}: any model of this width scores "
            f"{number(row['score'])}"
        )
    return f"Uninformative: {number(row['score'])}; {reason}."


def _p(row: Row) -> str:
    corrected, single = row["p_corrected"], row["p"]
    smallest = ", the smallest possible" if np.isclose(single, row["smallest_p"]) else ""
    said = f"p = {probability(single)}{smallest}"
    if np.isnan(corrected) or np.isclose(corrected, single):
        return said
    return f"{said}; corrected for the number of measures {probability(corrected)}"


def _ceiling_clause(row: Row) -> str:
    if np.isnan(row["ceiling"]):
        return ""
    # With finite training data, the noise-free activity itself scores lower.
    entry = entry_of(row["measure"])
    limit = ", an upper limit for held-out scores," if entry.cross_validated else ""
    if excess := entry.ceiling_excess:
        limit = f", usually estimated too high (by up to {number(excess, 2)}),"
    clause = f"; the noise ceiling{limit} is {number(row['ceiling'])}"
    if not np.isnan(row["ceiling_low"]):
        clause += f" [{number(row['ceiling_low'])}, {number(row['ceiling_high'])}]"
    if not np.isclose(row["ceiling_score"], row["score"]):
        clause += " for the neurons with trials in both halves; the model's score with these is "
        clause += number(row["ceiling_score"])
    return clause


def _excess_sentence(row: Row) -> list[str]:
    if row["verdict"] != ABOVE_CEILING:
        return []
    return [
        "The model has trial noise in common with the recording, or the ceiling is estimated too "
        "low."
    ]


def _subject_clause(row: Row) -> str:
    """State how well the other subjects and the model match one subject."""
    if np.isnan(row["subject_ceiling"]):
        return ""
    ends = between(row["subject_ceiling_low"], row["subject_ceiling_high"], 3)
    return (
        f"; the inter-subject ceiling is {number(row['subject_ceiling'])} ({ends} over "
        f"{row['n_subjects']:.0f} subjects), with single subjects the model scores "
        f"{number(row['subject_ceiling_score'])}"
    )


def _position_sentence(row: Row) -> list[str]:
    """Say what data with this score have captured."""
    if pd.isna(row["n_pcs"]):
        return []
    some = row["pcs_at_score"] > 0
    captured = f"{row['pcs_at_score']:.0f}" if some else "none"
    said = f"Data optimised to this score have captured {captured} of {row['n_pcs']:.0f} PCs"
    if some:
        said += f" ({percent(row['variance_at_score'])} of the variance)"
    sentences = [f"{said}."]
    for start, column in (
        ("Decodable", "variables_at_score"),
        ("Not decodable", "variables_missing"),
    ):
        if variables := _words(row[column]):
            sentences.append(f"{start} from all of them: {listed(variables)}.")
    return sentences


def _words(text: object) -> list[str]:
    return text.split() if isinstance(text, str) else []


def listed(words: Sequence[str]) -> str:
    """Join words as in a sentence, by semicolons if there is a comma in one."""
    if words[2:] and any("," in word for word in words):
        return "; ".join([*words[:-1], f"and {words[-1]}"])
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)
