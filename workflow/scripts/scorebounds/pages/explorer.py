"""The explorer: one self-contained page on what each score means."""

import json
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import vl_convert

from scorebounds.core.templates import load_template
from scorebounds.pages.charts import charts
from scorebounds.pages.explorer_data import Tables, explorer_data

_FOLDER = Path(__file__).parent
_TEMPLATE = load_template(_FOLDER / "explorer.html.j2")


def explorer_page(tables: Tables, bounds: pd.DataFrame | None = None) -> str:
    """Write the explorer of a run as one page of HTML that needs no network.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        See `explorer_data`.
    bounds : DataFrame, optional
        See `explorer_data`.

    Raises
    ------
    ValueError
        If no dataset has anything to show.
    """
    data = explorer_data(tables, bounds)
    if not data["datasets"]:
        raise ValueError(
            "the explorer needs a dataset with thresholds, decoding, ranges or score cards by a "
            "measure whose scores run up to 1, found none: add one of these to `analyses`, or take "
            "`explorer` out of it"
        )
    major, minor = alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2]
    return _TEMPLATE.render(
        style=_source("page.css"),
        script=_source("explorer.js"),
        bundle=vl_convert.javascript_bundle(
            "window.vegaEmbed = vegaEmbed;", vl_version=f"{major}.{minor}"
        ),
        data=_json(data),
        charts=_json(charts()),
        off_scale=data["off_scale"],
    )


def _source(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _json(value: Any) -> str:
    """Return JSON that can stand in a script element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
