"""What the explorer shows, taken from the tables of a run and packed for the page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from scorebounds.core.measure_table import entry_of, measure_label
from scorebounds.pages.possible import possible_scores
from scorebounds.scorecards.curve import score_of_capture

# Decimals of a score in the page.
DIGITS = 4

Tables = Mapping[str, pd.DataFrame]


def explorer_data(tables: Tables, bounds: pd.DataFrame | None = None) -> dict[str, Any]:
    """Collect what the explorer shows of each dataset.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Of results/tables/, those that the run made of `thresholds`, `seed_thresholds`, `decoding`,
        `references`, `scorecards` and `ranges`.
    bounds : DataFrame, optional
        All files `.bounds.csv` of results/ranges/.

    Returns
    -------
    dict
        `labels` of measures by id; `datasets` by name, each with the keys `measures`, `shares` (of
        the variance, of each component), `captured` and `variables` by measure, `references` by
        variable, `models` and `possible`; `off_scale`, the measures that are not shown.
    """
    names = [table.dataset for table in tables.values() if "dataset" in table]
    datasets = dict.fromkeys(str(name) for column in names for name in column.unique())
    measures = _measures(tables)
    shown = [name for name in measures if not entry_of(name).off_scale]
    packed = {}
    for dataset in datasets:
        of_dataset = {
            name: table[table.dataset == dataset] for name, table in tables.items() if len(table)
        }
        own = bounds[bounds.dataset == dataset] if bounds is not None and len(bounds) else None
        found = _dataset(of_dataset, own, shown)
        if found["measures"]:
            packed[dataset] = found
    return {
        "labels": {name: measure_label(name) for name in shown},
        "datasets": packed,
        "off_scale": [measure_label(name) for name in measures if name not in shown],
    }


def _measures(tables: Tables) -> list[str]:
    columns = [
        tables[table][column]
        for table, column in (
            ("thresholds", "measure"),
            ("scorecards", "measure"),
            ("ranges", "a"),
            ("ranges", "b"),
        )
        if table in tables
    ]
    return [str(name) for name in dict.fromkeys(name for column in columns for name in column)]


def _dataset(tables: Tables, bounds: pd.DataFrame | None, shown: Sequence[str]) -> dict[str, Any]:
    own = [name for name in _measures(tables) if name in shown]
    thresholds = tables.get("thresholds", pd.DataFrame())
    shares, captured, variables = _captured(thresholds, tables.get("seed_thresholds"), own)
    return {
        "measures": own,
        "shares": shares,
        "captured": captured,
        "variables": _with_curves(variables, tables.get("decoding")),
        "references": _references(tables.get("references")),
        "models": _models(tables.get("scorecards"), own),
        "possible": _possible(tables.get("ranges"), bounds, own),
    }


def _captured(
    thresholds: pd.DataFrame, seeds: pd.DataFrame | None, measures: Sequence[str]
) -> tuple[list[float], dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the shares of the components, and when these and the variables are captured."""
    shares: list[float] = []
    captured: dict[str, Any] = {}
    variables: dict[str, dict[str, Any]] = {}
    if thresholds.empty:
        return shares, captured, variables
    first = {}
    if seeds is not None and len(seeds):
        first = seeds.groupby(["measure", "kind", "target"]).score.min().to_dict()
    table = thresholds.assign(last=score_of_capture(thresholds))
    for (measure, kind), rows in _groups(table, "measure", "kind"):
        if measure not in measures:
            continue
        keys = [(measure, kind, target) for target in rows.target]
        packed: dict[str, Any] = {
            "all": _rounded(rows["last"]),
            "any": _rounded([first.get(key, np.nan) for key in keys]),
            "n_seeds": int(rows.n_seeds.max()),
            "note": _note(rows),
        }
        if kind == "pc":
            shares = _rounded(rows.variance_ratio, 6)
            captured[measure] = packed
        else:
            variables[measure] = {
                str(target): {key: packed[key][row] for key in ("all", "any")}
                for row, target in enumerate(rows.target)
            }
    return shares, captured, variables


def _groups(table: pd.DataFrame, *columns: str) -> Iterator[tuple[tuple[str, ...], pd.DataFrame]]:
    for key, rows in table.groupby(list(columns), sort=False):
        yield tuple(map(str, key)), rows


def _note(rows: pd.DataFrame) -> str:
    notes = list(rows.note.dropna()) if "note" in rows else []
    return str(notes[0]) if notes else ""


def _with_curves(
    variables: dict[str, dict[str, Any]], decoding: pd.DataFrame | None
) -> dict[str, dict[str, Any]]:
    """Add the accuracy at each score to the variables of each measure."""
    if decoding is None or decoding.empty:
        return variables
    columns = {"score": "score", "mean": "accuracy_mean", "low": "accuracy_low"}
    columns["high"] = "accuracy_high"
    for (measure, target), rows in _groups(decoding, "measure", "target"):
        if target in variables.get(measure, {}):
            known = rows[rows.accuracy_mean.notna()].sort_values("score")
            curve = {key: _rounded(known[column]) for key, column in columns.items()}
            variables[measure][target]["curve"] = curve
    return variables


def _references(references: pd.DataFrame | None) -> dict[str, Any]:
    if references is None:
        return {}
    return {
        row["target"]: {
            "chance": round(row["chance"], DIGITS),
            "accuracy": round(row["reference"], DIGITS),
            "decodable": bool(row["decodable"]),
        }
        for row in references.to_dict("records")
    }


def _models(cards: pd.DataFrame | None, measures: Sequence[str]) -> list[dict[str, Any]]:
    if cards is None:
        return []
    rows = cards[cards.measure.isin(measures) & cards.score.notna()]
    numbers = ["score", "score_corrected", "score_low", "score_high", "null_low", "null_high"]
    numbers += ["ceiling", "ceiling_low", "ceiling_high", "p_corrected"]
    packed = []
    for row in rows.to_dict("records"):
        values = dict(zip(numbers, _rounded([row[name] for name in numbers]), strict=True))
        packed.append({key: row[key] for key in ("model", "measure", "verdict")} | values)
    return packed


def _possible(
    ranges: pd.DataFrame | None, bounds: pd.DataFrame | None, measures: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Pack the ends of ranges, rounded so that they stay true."""
    if ranges is None or ranges.empty or bounds is None:
        return {}
    packed: dict[str, dict[str, Any]] = {}
    for (given, implied), ends in possible_scores(ranges, bounds, measures).items():
        exact = np.array_equal(ends.proven_low, ends.proven_high, equal_nan=True)
        down, up = (np.round, np.round) if exact else (np.floor, np.ceil)
        packed.setdefault(given, {})[implied] = {
            "attained_low": _rounded(ends.attained_low),
            "attained_high": _rounded(ends.attained_high),
            "proven_low": _rounded(down(10**DIGITS * ends.proven_low) / 10**DIGITS),
            "proven_high": _rounded(up(10**DIGITS * ends.proven_high) / 10**DIGITS),
            "searched": [int(known) for known in ends.searched],
        }
    return packed


def _rounded(values: Any, digits: int = DIGITS) -> list[Any]:
    """Return numbers for JSON, with null for NaN."""
    return [
        None if np.isnan(value) else round(float(value), digits)
        for value in np.asarray(values, dtype=float)
    ]
