"""The decoding curves that Cloos et al. 2025 published, and their thresholds by our rule."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from scorebounds.core.published_ids import PUBLISHED_IDS
from scorebounds.decoding.summary import decoding_level
from scorebounds.optimization.published import AGREEMENT_COLUMNS
from scorebounds.optimization.thresholds import first_crossing

# Our names of the published variables, where they differ.
VARIABLES = {"gt_choice": "choice", "coh_mod1": "motion", "coh_mod2": "colour"}
# Share of the largest class in the data of the paper. The classes of siegel15 are not known.
CHANCE = {
    "ultrametric": 1 / 10,
    "Hatsopoulos2007": 1 / 8,
    "MajajHong2015": 1 / 8,
    "FreemanZiemba2013": 1 / 2,
    "Mante2013": 1 / 2,
}
CURVE_COLUMNS = [
    "published",
    "dataset",
    "measure",
    "target",
    "score",
    "accuracy",
    "chance",
    "reference",
]
THRESHOLD_COLUMNS = [
    "published",
    "dataset",
    "measure",
    "target",
    "chance",
    "reference",
    "published_score",
    "reproduced",
    "low",
    "high",
    "difference",
    "note",
]
# How far the thresholds may differ. Chosen when those of the ultrametric data were known, and
# before any recording was compared.
TOLERANCE = 0.05
ANOTHER_DRAW = "another draw of the same simulated data"
SAME_RECORDING = "the same recording; the paper did not standardise neurons"
NO_DATA = "this recording is not part of the run"
NO_REFERENCE = "the accuracy on the recording, or the number of classes, was not published"
PREFIX = "decode."


def read_published_curves(folder: Path) -> pd.DataFrame:
    """Read the accuracy of each variable along each published run.

    Returns
    -------
    DataFrame
        `CURVE_COLUMNS` without dataset. A measure that is not one of ours keeps its published name.
        `reference` is known for the last variable only: the paper divided the mean accuracy of all
        variables by it, and published the ratio.
    """
    table = pd.read_csv(folder / "scores_vs_decoding_acc.csv")
    columns = [name for name in table.columns if name.startswith(PREFIX)]
    if not columns:
        raise ValueError(f"{folder}: expected columns that start with {PREFIX!r}, found none")
    ours = {theirs: name for name, theirs in PUBLISHED_IDS.items()}
    tables = []
    for measure, rows in table.groupby("measure", sort=False):
        # The first two rows are both the data before the first update.
        run = rows.iloc[1:]
        reference = float((run[columns].mean(axis=1) / run.decoding_accuracy).median())
        for column in columns:
            name = column.removeprefix(PREFIX)
            tables.append(
                pd.DataFrame(
                    {
                        "published": folder.name,
                        "measure": ours.get(str(measure), measure),
                        "target": VARIABLES.get(name, name),
                        "score": run.score,
                        "accuracy": run[column],
                        "chance": CHANCE.get(folder.name, np.nan),
                        "reference": reference if column == columns[-1] else np.nan,
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)


def published_curves(folders: list[Path], counterparts: Mapping[str, str]) -> pd.DataFrame:
    """Read all published curves.

    Parameters
    ----------
    folders : list of Path
        A folder per published dataset.
    counterparts : mapping of str to str
        The dataset of this run that has the same data, by published name.

    Returns
    -------
    DataFrame
        `CURVE_COLUMNS`; `dataset` is empty where the run has no such dataset.
    """
    tables = [pd.DataFrame(columns=CURVE_COLUMNS)]
    for folder in folders:
        curves = read_published_curves(folder)
        tables.append(curves.assign(dataset=counterparts.get(folder.name, "")))
    return pd.concat(tables[1:] or tables, ignore_index=True)[CURVE_COLUMNS]


def compare_decoding(curves: pd.DataFrame, thresholds: pd.DataFrame) -> pd.DataFrame:
    """Find the thresholds of published curves, and put ours next to them.

    Parameters
    ----------
    curves : DataFrame
        `CURVE_COLUMNS`.
    thresholds : DataFrame
        Our thresholds, columns `dataset, measure, kind, target, score_median, score_low,
        score_high`.

    Returns
    -------
    DataFrame
        `THRESHOLD_COLUMNS`, a row per published curve. `published_score` is the first upward
        crossing of chance + 0.9 · (reference − chance) by the single published run; missing if
        there is none, or if `note` says that the level is not known.
    """
    variables = thresholds[thresholds.kind == "variable"]
    keys = zip(variables.dataset, variables.measure, variables.target, strict=True)
    ends = zip(variables.score_median, variables.score_low, variables.score_high, strict=True)
    ours = dict(zip(keys, ends, strict=True))
    rows: list[tuple[object, ...]] = []
    for names, curve in curves.groupby(["published", "dataset", "measure", "target"], sort=False):
        published, dataset, measure, target = map(str, names)
        chance, reference = float(curve.chance.iloc[0]), float(curve.reference.iloc[0])
        level = decoding_level(chance, reference)
        score = np.nan
        if np.isfinite(level):
            accuracy = curve.accuracy.to_numpy()[:, None]
            score = float(first_crossing(curve.score.to_numpy(), accuracy, np.array([level]))[0])
        found = ours.get((dataset, measure, target), (np.nan, np.nan, np.nan))
        note = _note(published, dataset, known=bool(np.isfinite(level)))
        rows.append((*names, chance, reference, score, *found, found[0] - score, note))
    return pd.DataFrame(rows, columns=THRESHOLD_COLUMNS)


def _note(published: str, dataset: str, *, known: bool) -> str:
    """Say how the data of the paper differ from those of this run."""
    if not dataset:
        note = NO_DATA
    else:
        note = ANOTHER_DRAW if published == "ultrametric" else SAME_RECORDING
    return note if known else f"{note}; {NO_REFERENCE}"


def decoding_agreement(comparison: pd.DataFrame) -> pd.DataFrame:
    """Compare each dataset and measure with the tolerance.

    Parameters
    ----------
    comparison : DataFrame
        `THRESHOLD_COLUMNS`.

    Returns
    -------
    DataFrame
        Columns `AGREEMENT_COLUMNS`: `decoding_threshold_difference` is the mean |difference| over
        the variables that both decode. There is no row where both decode none.
    """
    both = comparison[comparison.difference.notna()]
    rows: list[tuple[object, ...]] = []
    for names, group in both.groupby(["dataset", "measure"], sort=False):
        value = float(group.difference.abs().mean())
        quantity = "decoding_threshold_difference"
        rows.append((*names, quantity, value, len(group), TOLERANCE, value <= TOLERANCE))
    return pd.DataFrame(rows, columns=AGREEMENT_COLUMNS)
