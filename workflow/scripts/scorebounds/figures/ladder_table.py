"""What the score ladder shows, as a tidy table."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from scorebounds.figures.style import OFF_SCALE, with_thresholds

COLUMNS = ["dataset", "measure", "element", "name", "score", "low", "high", "value"]

Row = Mapping[Any, Any]


def ladder_table(cards: pd.DataFrame, thresholds: pd.DataFrame | None) -> pd.DataFrame:
    """Select what the ladder shows; parameters and columns as of `ladder_figure`."""
    rows: list[dict[str, Any]] = []
    cards = cards[~cards.measure.isin(OFF_SCALE)]
    for card in cards.to_dict("records"):
        base = {"dataset": card.get("dataset", ""), "measure": card["measure"]}
        name = card.get("model", "model")
        if pd.isna(card["score"]):
            continue
        rows.append(
            {
                **base,
                "element": "model" if card.get("is_informative", True) else "uninformative",
                "name": name,
                "score": card["score"],
                "low": card.get("score_low", np.nan),
                "high": card.get("score_high", np.nan),
                "value": card.get("p_corrected", card.get("p", np.nan)),
            }
        )
        for element, low, high in (
            ("chance", card.get("null_low"), card.get("null_high")),
            ("ceiling", *_ceiling_ends(card)),
            ("subjects", card.get("subject_ceiling_low"), card.get("subject_ceiling_high")),
        ):
            if pd.notna(low) and pd.notna(high):
                rows.append({**base, "element": element, "name": name, "low": low, "high": high})
        if pd.notna(card.get("subject_ceiling_score")):
            score = card["subject_ceiling_score"]
            rows.append({**base, "element": "single_subjects", "name": name, "score": score})
    table = pd.DataFrame(rows, columns=COLUMNS)
    if thresholds is not None and len(table):
        shown = with_thresholds(thresholds[thresholds.measure.isin(table.measure.unique())])
        table = pd.concat([table, *_guaranteed(shown, table.dataset.iloc[0])], ignore_index=True)
    return table


def _ceiling_ends(card: Row) -> tuple[Any, Any]:
    low, high = card.get("ceiling_low"), card.get("ceiling_high")
    single = card.get("ceiling")
    return (single, single) if pd.isna(low) and pd.notna(single) else (low, high)


def _guaranteed(thresholds: pd.DataFrame, dataset: str) -> list[pd.DataFrame]:
    """Return the share of variance captured at each score, and the variables decoded."""
    captured = thresholds[(thresholds.kind == "pc") & thresholds.score_all.notna()]
    captured = captured.sort_values(["measure", "score_all"], kind="stable")
    share = captured.groupby("measure", sort=False).variance_ratio.cumsum()
    optimised = thresholds[thresholds.kind == "pc"].measure.drop_duplicates()
    variables = thresholds[(thresholds.kind == "variable") & thresholds.score_all.notna()]
    columns = {"dataset": dataset, "low": np.nan, "high": np.nan}
    nothing_yet = pd.DataFrame(
        {**columns, "measure": optimised, "element": "captured", "name": "", "score": -np.inf}
    ).assign(value=0.0)
    steps = pd.DataFrame(
        {**columns, "measure": captured.measure, "element": "captured", "name": ""}
    ).assign(score=captured.score_all, value=share)
    ticks = pd.DataFrame({**columns, "measure": variables.measure, "element": "variable"}).assign(
        name=variables.target, score=variables.score_all, value=np.nan
    )
    return [part[COLUMNS] for part in (nothing_yet, steps, ticks) if len(part)]
