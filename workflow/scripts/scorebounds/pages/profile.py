"""The page on the layers of a model: a table of layers and measures, and their figure."""

import base64
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from scorebounds.core.measure_table import measure_label
from scorebounds.core.templates import load_template
from scorebounds.scorecards.formatting import decimals, number
from scorebounds.scorecards.verdicts import ABOVE_CHANCE, MARKS, listed

_FOLDER = Path(__file__).parent
_TEMPLATE = load_template(_FOLDER / "profile.html.j2")
_STYLE = (_FOLDER / "page.css").read_text(encoding="utf-8")


def profile_page(
    table: pd.DataFrame, layers: Mapping[str, str], picture: bytes, dataset: str, model: str
) -> str:
    """Write the profile of a model over its layers as one self-contained page.

    Parameters
    ----------
    table : DataFrame
        From `figures.profile.draw_layers`: a row per layer and measure.
    layers : mapping of str to str
        The name of each layer by the model that it is in the table: read as a table, the names
        "0.1" and "0.10" would be one number.
    picture : bytes
        The figure as PNG.
    dataset, model : str
    """
    measures = list(dict.fromkeys(table.measure))
    closest = {str(name): _closest(rows) for name, rows in table.groupby("measure", sort=False)}
    shown = [
        {
            "name": layers[str(name)],
            "href": f"../../scorecards/{quote(dataset)}/{quote(str(name))}.html",
            "cells": [_cell(row, closest[str(row["measure"])]) for row in rows.to_dict("records")],
        }
        for name, rows in table.groupby("model", sort=False)
    ]
    return _TEMPLATE.render(
        style=_STYLE,
        dataset=dataset,
        model=model,
        headline=_headline([layers[name] for name in closest.values() if name], model, dataset),
        labels=[measure_label(name) for name in measures],
        layers=shown,
        marks={verdict: MARKS[verdict] for verdict in dict.fromkeys(map(str, table.verdict))},
        picture=base64.b64encode(picture).decode("ascii"),
        table=f"{quote(model)}.csv",
    )


def _closest(rows: pd.DataFrame) -> str:
    """Return the model that is the closest layer by one measure, if any is better than chance.

    A wide layer has a higher score by chance: compared are scores with chance subtracted.
    """
    above = rows[rows.verdict.isin(ABOVE_CHANCE)]
    if above.empty:
        return ""
    corrected = above.score_calibrated
    if corrected.isna().any():
        difference = above.score - above.null_mean
        corrected = difference.where(above.higher_is_closer.astype(bool), -difference)
    return str(above.model.iloc[int(corrected.argmax())])


def _headline(closest: list[str], model: str, dataset: str) -> str:
    """Say which layers are closest to the recording, and by how many measures."""
    if not closest:
        return f"No layer of {model} is distinguishable from chance by any measure."
    said = [
        f"{layer} (by {n} {'measure' if n == 1 else 'measures'})"
        for layer, n in Counter(closest).most_common()
    ]
    layers = "The layer" if len(said) == 1 else "The layers"
    are = "is" if len(said) == 1 else "are"
    return f"{layers} of {model} closest to {dataset} relative to chance {are} {listed(said)}."


def _cell(row: Mapping[Any, Any], closest: str) -> dict[str, Any]:
    return {
        "label": measure_label(row["measure"]),
        "score": number(row["score"], decimals(row)),
        "verdict": row["verdict"],
        "mark": MARKS[row["verdict"]],
        "is_closest": row["model"] == closest,
    }
