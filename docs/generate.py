"""Write what docs/measures.md says of each measure from the registry, and the agreement beside it.

PYTHONPATH=workflow/scripts python docs/generate.py [--reference FOLDER]

With a folder of values from independent implementations, it also writes measures_agreement.csv and
images/measures_agreement.png.
"""

import argparse
import csv
import json
import math
import re
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scorebounds import measures
from scorebounds.measures import Measure
from scorebounds.measures.prediction import held_out_correlations, ridge_predictions

DOCS = Path(__file__).parent
PAGE = DOCS / "measures.md"
AGREEMENT = DOCS / "measures_agreement.csv"
FIGURE = DOCS / "images" / "measures_agreement.png"

START = "<!-- registry: made by docs/generate.py -->"
END = "<!-- end of registry -->"

INVARIANCES = {
    "orthogonal": "rotations and reflections",
    "isotropic_scaling": "a common scale",
    "translation": "an offset per neuron",
    "permutation": "the order of neurons",
    "invertible_linear": "any invertible linear map",
}
SIDES = {"_x": " of X only", "_y": " of Y only"}

# Ours beyond the table of ids: theirs, and what is done to their value.
MORE_IDS: dict[str, tuple[str, Callable[[float], float]]] = {
    "permutation_matching": ("permutation-angular", math.cos),
    "procrustes_normalised": ("procrustes-normalised", float),
    "mutual_knn_10": ("mutual-knn-k10", float),
    "distance_correlation": ("distance-correlation", float),
}
MEAN_PEARSON = "ridge_cv_pearson_1 (mean)"
MEAN_PEARSON_ID = "ridge-lambda1-pearson-columns#5folds_cv"

COLUMNS = [
    "measure",
    "input",
    "ours",
    "reference",
    "relative_difference",
    "single_precision_difference",
    "implementations_that_agree",
    "implementations_that_differ",
]
TOLERANCE = 1e-8
TOLERANCE_SINGLE = 1e-4
NO_DIFFERENCE = 1e-17
BLUE, VERMILION = "#0072B2", "#D55E00"


def current(text: str) -> str:
    """Return the page with its generated part brought up to date."""
    before, rest = text.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{registry_section()}{END}{after}"


def registry_section() -> str:
    """Return what the registry says of the measures, as Markdown."""
    all_measures = [measures.load(name) for name in measures.names()]
    rows = [
        "| id | name in figures | same data | range | closer is | symmetric | gradient |",
        "|---|---|---|---|---|---|---|",
        *(_row(measure) for measure in all_measures),
    ]
    return "\n".join([*rows, "", *(_block(measure) for measure in all_measures)]) + "\n"


def _row(measure: Measure) -> str:
    perfect = "depends" if measure.perfect is None else _number(measure.perfect)
    cells = [
        f"[`{measure.name}`](#{measure.name.replace('.', '')})",
        measure.label,
        perfect,
        _range(*measure.bounds),
        "higher" if measure.higher_is_closer else "lower",
        "yes" if measure.symmetric else "no",
        "yes" if measure.differentiable else "scored",
    ]
    return f"| {' | '.join(cells)} |"


def _block(measure: Measure) -> str:
    return "\n".join(
        [
            f"#### `{measure.name}`",
            "",
            f"- Formula: `{measure.formula}`",
            f"- Not changed by: {_invariances(measure)}",
            f"- Blind to: {measure.blind_to}",
            f"- Cost: {measure.cost}",
            f"- Source: {_linked(measure.reference)}",
            "",
        ]
    )


def _invariances(measure: Measure) -> str:
    words = []
    for name, meaning in INVARIANCES.items():
        if name in measure.invariances:
            words.append(meaning)
        words += [
            meaning + side for end, side in SIDES.items() if name + end in measure.invariances
        ]
    return "; ".join(words)


def _range(low: float, high: float) -> str:
    opening = "(−∞" if math.isinf(low) else f"[{_number(low)}"
    closing = "∞)" if math.isinf(high) else f"{_number(high)}]"
    return f"{opening}, {closing}"


def _number(value: float) -> str:
    root = round(value**2) if value > 0 else 0
    if value != round(value) and math.isclose(value, math.sqrt(root)):
        return f"√{root}"
    return f"{value:g}".replace("-", "−")


def _linked(reference: str) -> str:
    reference = re.sub(r"arXiv:([\d.]+\d)", r"[arXiv:\1](https://arxiv.org/abs/\1)", reference)
    return re.sub(r"doi:(10\.[^\s,;]+)", r"[doi:\1](https://doi.org/\1)", reference)


def agreement(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield a row per measure and input of the reference values."""
    reference = json.loads((folder / "reference.json").read_text(encoding="utf-8"))
    with (folder / "ids.tsv").open(newline="", encoding="utf-8") as table:
        ids: dict[str, tuple[str, Callable[[float], float]]] = {
            row["id"]: (row["reference"], float) for row in csv.DictReader(table, delimiter="\t")
        }
    ids |= MORE_IDS | {MEAN_PEARSON: (MEAN_PEARSON_ID, float)}
    for measure, (theirs, convert) in ids.items():
        for name, entry in reference[theirs].items():
            path = folder / "inputs" / f"{name}.npz"
            if path.exists() and entry["value"] is not None:
                yield _compared(measure, name, path, convert(entry["value"]), entry["status"])


def score(measure: str, x: Tensor, y: Tensor) -> float:
    """Score by our measure, or by the mean over neurons where ours is the median."""
    if measure == MEAN_PEARSON:
        predict = partial(ridge_predictions, penalty=1.0)
        found = held_out_correlations(x.double(), y.double(), predict).mean()
        return found.to(x.dtype).item()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*1 whatever the data are")
        return measures.load(measure).score(x, y).item()


def _compared(
    measure: str, name: str, path: Path, value: float, status: dict[str, str]
) -> dict[str, Any]:
    arrays = np.load(path)
    x, y = (torch.from_numpy(arrays[key]) for key in "XY")
    ours, single = score(measure, x, y), score(measure, x.float(), y.float())
    agree = [source for source, said in status.items() if said in ("exact", "close")]
    differ = [f"{source} [{said}]" for source, said in status.items() if source not in agree]
    values = [ours, value, abs(ours / value - 1), abs(single / value - 1)]
    return dict(
        zip(COLUMNS, [measure, name, *values, "; ".join(agree), "; ".join(differ)], strict=True)
    )


def write_agreement(rows: list[dict[str, Any]], path: Path = AGREEMENT) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            differences = {
                key: f"{row[key]:.1e}"
                for key in ("relative_difference", "single_precision_difference")
            }
            writer.writerow(row | differences)


def draw_agreement(rows: list[dict[str, Any]], path: Path = FIGURE) -> None:
    # Here, so that the page can be checked without it.
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    style = {"font.family": "DejaVu Sans", "font.size": 7, "axes.linewidth": 0.6}
    names = list(dict.fromkeys(row["measure"] for row in rows))
    with mpl.rc_context(style):
        figure, axes = plt.subplots(figsize=(7.1, 1.1 + 0.155 * len(names)), layout="constrained")
        for key, colour, marker, tolerance, label in (
            ("relative_difference", BLUE, "o", TOLERANCE, "double precision"),
            ("single_precision_difference", VERMILION, "^", TOLERANCE_SINGLE, "single precision"),
        ):
            axes.plot(
                [max(row[key], NO_DIFFERENCE) for row in rows],
                [names.index(row["measure"]) for row in rows],
                marker,
                color=colour,
                markersize=3.5,
                markeredgewidth=0.4,
                markeredgecolor="white",
                clip_on=False,
                label=label,
            )
            axes.axvline(
                tolerance, color=colour, linewidth=0.9, linestyle="--", label=f"its tolerance, {tolerance:.0e}"
            )
        for row, name in enumerate(names):
            sources = {
                source
                for entry in rows
                if entry["measure"] == name
                for source in entry["implementations_that_agree"].split("; ")
            }
            axes.annotate(
                str(len(sources)),
                (1, row),
                (20, 0),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                ha="right",
                va="center",
            )
        axes.annotate(
            "agree", (1, -1.1), (24, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", ha="right", va="center",
        )
        axes.set_xscale("log")
        axes.set_xlim(NO_DIFFERENCE / 2, 1e-3)
        exponents = range(-17, -2, 2)
        axes.set_xticks(
            [10.0**exponent for exponent in exponents],
            ["0" if exponent == -17 else f"$10^{{{exponent}}}$" for exponent in exponents],
        )
        axes.minorticks_off()
        axes.set_xlabel("relative difference to the independent value, |ours / theirs − 1|")
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.tick_params(length=2, width=0.6)
        axes.grid(axis="y", color="0.92", linewidth=0.5)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside upper center", ncols=4, frameon=False)
        figure.savefig(path, dpi=200, metadata={"Software": None})
        plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--reference", type=Path, metavar="FOLDER", help="values of independent implementations"
    )
    folder = parser.parse_args().reference
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    if folder is not None:
        rows = list(agreement(folder))
        write_agreement(rows)
        FIGURE.parent.mkdir(exist_ok=True)
        draw_agreement(rows)


if __name__ == "__main__":
    main()
