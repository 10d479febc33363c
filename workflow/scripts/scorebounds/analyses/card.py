"""The score card of one model: scores, chance, noise ceiling and interpretation."""

import datetime as dt
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

from scorebounds.analyses.measures import definitions
from scorebounds.analyses.result import Result, require_matplotlib, table_html
from scorebounds.analyses.threads import threads_for
from scorebounds.core.random import derived_seed
from scorebounds.core.version import __version__
from scorebounds.core.visible import visible
from scorebounds.datasets.arrays import read_halves
from scorebounds.scorecards.comparisons import COMPARISON_COLUMNS
from scorebounds.scorecards.explained import explained_components
from scorebounds.scorecards.headline import headline, model_statement
from scorebounds.scorecards.implied import allowed_scores
from scorebounds.scorecards.inference import score_model
from scorebounds.scorecards.matched import Matched
from scorebounds.scorecards.matching import By
from scorebounds.scorecards.methods import SIZES, methods_text
from scorebounds.scorecards.page import scorecard_page
from scorebounds.scorecards.resampling import ResamplingSettings
from scorebounds.scorecards.verdicts import interpret

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Parts of the conditions, and of the neurons, that the jackknife leaves out in turn.
N_GROUPS = 10
# Shuffles of measures that are fitted again for each of them.
N_PERMUTATIONS_OF = {"ridge_cv_tuned": 39}
THRESHOLD_COLUMNS = ["measure", "kind", "target", "variance_ratio", "score_mean"]
SHOWN_COLUMNS = ["measure", "score", "score_corrected", "score_low", "score_high", "verdict"]
SHOWN_COLUMNS += ["null_mean", "p", "p_corrected", "ceiling_low", "ceiling_high"]


@dataclass(frozen=True)
class ScoreCard(Result):
    """How a model's scores with a recording are to be interpreted.

    Attributes
    ----------
    table : DataFrame
        A row per measure: score, interval, null distribution, p, noise ceiling, verdict, sentence.
    headline : str
        One sentence on whether the scores are good.
    components : DataFrame
        The R² with which the model explains each principal component on held-out conditions.
    implied : DataFrame
        Per pair of measures the proven range of one given the score of the other.
    replicates : DataFrame
        The jackknife's scores.
    thresholds : DataFrame
        What synthetic data capture at which score; empty unless they were given.
    facts : mapping
        Names, version, seed, settings, matching, checksums of files and date.
    """

    headline: str
    components: pd.DataFrame
    implied: pd.DataFrame
    replicates: pd.DataFrame
    thresholds: pd.DataFrame
    facts: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Names of the model and of the recording."""
        return f"{self.facts['model']} compared with {self.facts['recording']}"

    @property
    def sentences(self) -> pd.Series:
        """The interpretation of each score, by measure."""
        return self.table.set_index("measure").sentence

    def methods(self) -> str:
        """Return a paragraph for the methods section of a paper, and BibTeX entries."""
        return methods_text(self.facts, self.table, definitions(self.table.measure).source)

    def plot(self) -> "Figure":
        """Draw each score on the scale of its measure: chance, noise ceiling, and thresholds."""
        require_matplotlib()
        from scorebounds.figures.ladder import ladder_figure
        from scorebounds.figures.style import standalone

        names = {"dataset": self.facts["recording"], "model": self.facts["model"]}
        known = self.thresholds if "score_all" in self.thresholds else None
        return standalone(ladder_figure, self.table.assign(**names), known)

    def to_html(self, path: str | Path) -> None:
        """Write the card as one self-contained page.

        Parameters
        ----------
        path : str or Path
        """
        page = scorecard_page(
            self.table,
            self.implied,
            pd.DataFrame(columns=COMPARISON_COLUMNS),
            dataset=str(self.facts["recording"]),
            model=str(self.facts["model"]),
            headline=self.headline,
            statement=model_statement(self.components),
            thresholds=self.thresholds,
            definitions=definitions(self.table.measure),
            methods=self.methods(),
            facts={name.replace("_", " "): str(value) for name, value in self.facts.items()},
        )
        Path(path).write_text(page, encoding="utf-8")

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the card as JSON, and write it to `path` if one is given.

        Missing numbers are null.
        """
        tables = {"scores": self.table, "components": self.components, "implied": self.implied}
        content = {
            "headline": self.headline,
            "facts": dict(self.facts),
            **{name: json.loads(table.to_json(orient="records")) for name, table in tables.items()},
        }
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def _repr_html_(self) -> str:
        title = html.escape(visible(self.headline))
        return f"<p><b>{title}</b></p>{table_html(self.table[SHOWN_COLUMNS])}"

    def __repr__(self) -> str:
        shown = self.table[SHOWN_COLUMNS].to_string(index=False, float_format="{:.3f}".format)
        return visible(f"{self.headline}\n{shown}")


def make_card(
    pair: tuple[xr.DataArray, xr.DataArray],
    matched: Matched,
    measures: Sequence[str],
    *,
    match: By,
    n_permutations: int,
    thresholds: pd.DataFrame,
    seed: int,
    device: str = "cpu",
) -> ScoreCard:
    """Score a model and interpret its scores.

    Parameters
    ----------
    pair : tuple of DataArray
        Recording and model, as `matched` was made from.
    matched : Matched
    measures : sequence of str
        Ids.
    match : str or sequence of str
        How rows were paired, for the page.
    n_permutations : int
    thresholds : DataFrame
        Columns `THRESHOLD_COLUMNS`; may be empty.
    seed : int
    device : str
        Where to compute.
    """
    reference, model = pair
    name = str(reference.attrs["dataset"])
    settings = ResamplingSettings(
        n_permutations=n_permutations,
        n_groups=N_GROUPS,
        # As in the workflow, so that the same arrays give the same numbers.
        seed=derived_seed(seed, "scorecards", name),
        n_permutations_of={
            measure: min(number, n_permutations) for measure, number in N_PERMUTATIONS_OF.items()
        },
    )
    halves = read_halves(reference)
    if halves is not None:
        halves = (matched.align(halves[0]), matched.align(halves[1]))
    with threads_for(matched.reference.shape, matched.model.shape):
        scores, replicates = score_model(matched, measures, settings, halves, device)
        components = explained_components(matched, device, halves, settings.seed)
    table = _shown_first(interpret(scores, components, thresholds))
    sizes = table.iloc[0][list(SIZES)].dropna()
    facts = {
        "recording": name,
        "model": str(model.attrs["dataset"]),
        "version": __version__,
        "seed": seed,
        "n_permutations": n_permutations,
        "n_groups": N_GROUPS,
        "match": _matching(match),
        **{str(name): int(value) for name, value in sizes.items()},
        **_files(recording=reference, model=model),
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
    }
    implied = allowed_scores(table, components, [])
    said = headline(table, str(facts["model"]), name)
    return ScoreCard(table, said, components, implied, replicates, thresholds, facts)


def _matching(match: Any) -> str:
    if isinstance(match, Mapping):
        # What a mapping says of times and missing rows is in the notes of matching.
        match = match.get("labels") or ("names" if "names" in match else "order")
    return match if isinstance(match, str) else ", ".join(match)


def _shown_first(table: pd.DataFrame) -> pd.DataFrame:
    return table[[*SHOWN_COLUMNS, *(name for name in table if name not in SHOWN_COLUMNS)]]


def _files(**sides: xr.DataArray) -> dict[str, str]:
    return {
        f"{side} file": f"{array.attrs['path']}, {array.attrs['checksum']}"
        for side, array in sides.items()
        if "checksum" in array.attrs
    }


def threshold_rows(thresholds: Any, dataset: str) -> pd.DataFrame:
    """Return the thresholds of one dataset from a result, a table, or the path of a table.

    Raises
    ------
    ValueError
        If columns are missing or the table is of other datasets.
    """
    if thresholds is None:
        return pd.DataFrame(columns=THRESHOLD_COLUMNS)
    if isinstance(thresholds, str | Path):
        if not Path(thresholds).is_file():
            raise ValueError(f"{thresholds}: no such file; expected a table of thresholds")
        thresholds = _table_of_thresholds(thresholds)
    table = getattr(thresholds, "table", thresholds)
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            "expected thresholds as a result of sb.thresholds, a DataFrame or the path of a table, "
            f"got {type(thresholds).__name__}"
        )
    missing = [column for column in THRESHOLD_COLUMNS if column not in table]
    if missing:
        raise ValueError(
            f"expected thresholds with the columns {', '.join(THRESHOLD_COLUMNS)}, got none named "
            f"{missing[0]!r}; use a result of sb.thresholds or results/tables/thresholds.csv"
        )
    if "dataset" not in table or table.dataset.nunique() < 2:
        return table.reset_index(drop=True)
    chosen = table[table.dataset == dataset]
    if chosen.empty:
        known = ", ".join(map(repr, table.dataset.unique()))
        raise ValueError(
            f"expected thresholds of {dataset!r}, got those of {known}; select the rows of one "
            "dataset"
        )
    return chosen.reset_index(drop=True)


def _table_of_thresholds(path: str | Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except ValueError as error:
        raise ValueError(
            f"{path}: expected a table of thresholds (CSV in UTF-8 with a header), found a file "
            f"that cannot be read ({' '.join(str(error).split())}); use "
            "results/tables/thresholds.csv"
        ) from error
