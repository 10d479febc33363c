"""Fill the template of a score card: one self-contained HTML file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scorebounds.core.measure_table import entry_of, measure_label
from scorebounds.core.templates import load_template
from scorebounds.scorecards.bars import ladder
from scorebounds.scorecards.formatting import COARSE, between, decimals, number, probability
from scorebounds.scorecards.headline import headline as headline_of
from scorebounds.scorecards.rows import SHIFTED, chance_called, rows_called
from scorebounds.scorecards.verdicts import MARKS, WITHOUT_VERDICT, listed

# Two scores this near to each other are printed alike.
OWN_SCORE = 5e-4
# Columns of the page that are left out where no measure has them.
SHOWN_IF_KNOWN = ("p", "corrected", "ceiling", "subjects", "pcs")

_TEMPLATE = load_template(Path(__file__).with_name("page.html.j2"))


def scorecard_page(
    card: pd.DataFrame,
    allowed: pd.DataFrame,
    others: pd.DataFrame,
    dataset: str,
    model: str,
    *,
    headline: str = "",
    statement: str = "",
    thresholds: pd.DataFrame | None = None,
    facts: Mapping[str, str] | None = None,
    definitions: pd.DataFrame | None = None,
    methods: str = "",
    files: Mapping[str, str] | None = None,
) -> str:
    """Write the page of one model compared with one reference.

    Parameters
    ----------
    card : DataFrame
        From `verdicts.interpret`.
    allowed : DataFrame
        From `implied.allowed_scores`.
    others : DataFrame
        From `comparisons.comparisons_of`.
    dataset, model : str
    headline : str
        Sentence at the top; `headline.headline` of the card where it is empty.
    statement : str
        What the model itself explains, from `headline.model_statement`.
    thresholds : DataFrame, optional
        Those that the card was interpreted with, for the shades of the ladder.
    facts : mapping of str to str, optional
        How the card was computed, at the foot of the page.
    definitions : DataFrame, optional
        Of each measure: measure, label, formula, invariant_to, blind_to, source.
    methods : str
        A paragraph for a paper, with references.
    files : mapping of str to str, optional
        Files that belong to the card: what each holds, by its path relative to the page.
    """
    rows = [_row(row) for row in card.to_dict("records")]
    implied = [_allowed(row) for row in allowed.to_dict("records")]
    by_other = others.sort_values("other", kind="stable")
    shown = {name: any(row[name] for row in rows) for name in SHOWN_IF_KNOWN}
    return _TEMPLATE.render(
        dataset=dataset,
        model=model,
        headline=headline or headline_of(card, model, dataset),
        statement=statement,
        size=_size(card.iloc[0]),
        ladder=ladder(card, thresholds),
        rows=rows,
        without_interval=_without_interval(card),
        n_tested=int(card.p_corrected.notna().sum()),
        held_out=any(entry_of(name).cross_validated for name in card.measure),
        permutations=_permutations(card),
        exchanged=chance_called(card.exchange.iloc[0]),
        shown={**shown, "attained": any(row["attained"] for row in implied)},
        others=[_other(row) for row in by_other.to_dict("records")],
        allowed=implied,
        facts=dict(facts or {}),
        definitions=[] if definitions is None else definitions.to_dict("records"),
        methods=methods,
        files=dict(files or {}),
    )


def _without_interval(card: pd.DataFrame) -> list[str]:
    """Name the measures that have no interval, and say why, in a sentence per reason."""
    noted = card[card.interval_note.fillna("").ne("")]
    return [
        f"No interval by {listed([measure_label(name) for name in group.measure])}: {reason}."
        if len(group) < len(card)
        else f"No measure has an interval: {reason}."
        for reason, group in noted.groupby("interval_note", sort=False)
    ]


def _permutations(card: pd.DataFrame) -> str:
    """Say what the number of permutations means for p, where all measures have the same."""
    tested = card[~card.verdict.isin(WITHOUT_VERDICT)]
    numbers = tested[["n_permutations", "smallest_p"]].drop_duplicates()
    if len(numbers) != 1:
        return ""
    n, smallest = numbers.iloc[0]
    orders = "circular shifts" if tested.exchange.iloc[0] == SHIFTED else "permutations"
    return f"With {n:.0f} {orders}, p cannot be below {smallest:.2g}."


def _size(row: Any) -> str:
    rows = rows_called(row.exchange)
    said = _counted(row.n_conditions, rows)
    if row.n_samples != row.n_conditions:
        said += f" at {row.n_samples / row.n_conditions:.0f} times"
    if row.n_trials > row.n_conditions:
        said += f" (averages of {row.n_trials:.0f} rows)"
    said += f", {_counted(row.n_reference_neurons, 'neurons')} of the recording"
    said += f" ({row.n_subjects:.0f} subjects) and " if row.n_subjects > 1 else " and "
    said += f"{_counted(row.n_neurons, 'units')} of the model."
    if isinstance(row.match_note, str) and row.match_note:
        said += f" Matching: {row.match_note}."
    # The same for every measure.
    if isinstance(row.position_note, str) and row.position_note:
        said += f" {row.position_note[0].upper()}{row.position_note[1:]}."
    return said


def _counted(number_of: float, what: str) -> str:
    return f"{number_of:.0f} {what if number_of != 1 else what[:-1]}"


def _row(row: dict[Any, Any]) -> dict[str, Any]:
    known = not np.isnan(row["n_pcs"])
    p, digits = row["p_corrected"], decimals(row)
    corrected = (row["score_corrected"], row["score_low"], row["score_high"])
    return {
        "mark": MARKS[row["verdict"]],
        "label": measure_label(row["measure"]),
        "measure": row["measure"],
        "verdict": row["verdict"],
        "sentence": row["sentence"],
        "note": _note(row),
        "score": number(row["score"], digits),
        "chance": number(row["null_mean"], digits),
        "p": "" if np.isnan(p) else probability(p),
        "corrected": _with_interval(*corrected),
        "ceiling": _with_interval(row["ceiling"], row["ceiling_low"], row["ceiling_high"]),
        "subjects": _of_subjects(row),
        "of_subjects": number(row["subject_ceiling_score"], 2),
        "pcs": f"{row['pcs_at_score']:.0f} of {row['n_pcs']:.0f}" if known else "",
    }


def _note(row: dict[Any, Any]) -> str:
    """Say why there is no ceiling, where that is known."""
    notes = []
    for name, start in (
        ("ceiling_note", "No noise ceiling"),
        ("subject_ceiling_note", "No inter-subject ceiling"),
    ):
        if isinstance(row[name], str) and row[name]:
            notes.append(f"{start}: {row[name]}.")
    return " ".join(notes)


def _proven(low: float, high: float) -> str:
    """Write a range of which one end can be unknown."""
    if np.isnan(low) or np.isnan(high):
        known = [(low, "at least "), (high, "at most ")]
        return "".join(word + number(end) for end, word in known if not np.isnan(end))
    return between(low, high)


def _attained(row: dict[Any, Any]) -> str:
    """Write a range, and the given score that it belongs to where it is not the model's."""
    ends = between(row["attained_low"], row["attained_high"])
    is_own = abs(row["attained_at"] - row["score"]) < OWN_SCORE
    return ends if is_own or not ends else f"{ends} (at {row['attained_at']:.2g})"


def _of_subjects(row: dict[Any, Any]) -> str:
    if np.isnan(row["subject_ceiling"]):
        return ""
    ends = between(row["subject_ceiling_low"], row["subject_ceiling_high"], 2)
    return f"{number(row['subject_ceiling'], 2)} ({ends})"


def _allowed(row: dict[Any, Any]) -> dict[str, str]:
    return {
        "given": measure_label(row["given"]),
        "implied": measure_label(row["implied"]),
        "score": number(row["score"]),
        "implied_score": number(row["implied_score"]),
        "outer": _proven(row["outer_low"], row["outer_high"]),
        "bound": row["bound"],
        "attained": _attained(row),
    }


def _other(row: dict[Any, Any]) -> dict[str, str]:
    return {
        "other": row["other"],
        "label": measure_label(row["measure"]),
        "score": number(row["score"]),
        "other_score": number(row["other_score"]),
        "difference": _with_interval(
            row["calibrated_difference"], row["calibrated_low"], row["calibrated_high"]
        ),
        "p": "" if np.isnan(row["p_corrected"]) else probability(row["p_corrected"]),
        "closer": row["closer"],
    }


def _with_interval(value: float, low: float, high: float) -> str:
    if np.isnan(value):
        return ""
    digits = 2 if (high - low) / 2 >= COARSE else 3
    interval = between(low, high, digits)
    return f"{number(value, digits)} [{interval}]" if interval else number(value, digits)
