"""Write the parts of docs/ that the code knows best (`make docs`).

The overview and entries of docs/measures.md come from the registry of measures. With a folder of
reference values, the table and figure of agreement with other implementations are renewed.
"""

import argparse
import json
import math
import re
import warnings
from itertools import groupby
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

from helpers.reference_ids import HELD_OUT, reference_ids
from scorebounds.analyses.measures import INVARIANCES
from scorebounds.core.measure_table import measure_label
from scorebounds.figures.style import PAGE_WIDTH, use_style
from scorebounds.measures import registry
from scorebounds.measures.prediction import held_out_correlations

DOCS = Path(__file__).parent
START, END = "<!-- registry: made by docs/generate.py -->", "<!-- end of registry -->"
MARKS = (
    "✓: this change of either side does not change the score; X or Y: that of this side does not."
)
EXACT = 1e-17  # where a difference of zero is drawn


def number(value):
    return {math.inf: "∞", -math.inf: "−∞", math.sqrt(2): "√2"}.get(
        value, f"{value:.3g}".replace("-", "−")
    )


def registry_section():
    """Return the overview of all measures and an entry for each, in Markdown."""
    lines = [
        "| id | name | perfect | range | closer is | symmetric | gradient |",
        "|---|---|---|---|---|---|---|",
    ]
    every = [registry.load(name) for name in registry.names()]
    for measure in every:
        low, high = (number(bound) for bound in measure.bounds)
        perfect = "–" if measure.perfect is None else number(measure.perfect)
        direction = "higher" if measure.higher_is_closer else "lower"
        symmetric = "yes" if measure.symmetric else "no"
        gradient = "yes" if measure.differentiable else "scored only"
        lines.append(
            f"| `{measure.name}` | {measure.label} | {perfect} | {low} to {high} | {direction} |"
            f" {symmetric} | {gradient} |"
        )
    lines += ["", "## What leaves a score unchanged", "", MARKS, "", *invariance_table(every)]
    lines += ["", "## Definitions"]
    for properties, alike in groupby(every, key=properties_of):
        alike = list(alike)
        reference, blind_to = properties
        formulas = "; ".join(measure.formula for measure in alike)
        lines += [
            "",
            "### " + ", ".join(f"`{measure.name}`" for measure in alike),
            "",
            f"{formulas}. {linked(reference)}. Blind to: {blind_to}.",
        ]
    return "\n".join(lines)


def invariance_table(every):
    """Return the changes of the data that leave each score as it is, and its cost, in Markdown."""
    lines = [
        "| id | " + " | ".join(INVARIANCES.values()) + " | cost |",
        "|---" * (len(INVARIANCES) + 2) + "|",
    ]
    for measure in every:
        sides = (
            "".join(
                mark
                for mark, suffix in (("✓", ""), ("X", "_x"), ("Y", "_y"))
                if change + suffix in measure.invariances
            )
            for change in INVARIANCES
        )
        lines.append(f"| `{measure.name}` | " + " | ".join(sides) + f" | {measure.cost} |")
    return lines


def properties_of(measure):
    """Return what an entry states in addition to the formula; equal neighbours share an entry."""
    return (measure.reference, measure.blind_to)


def linked(reference):
    """Return the source of a measure with a link in place of the title and number of a paper."""
    cited = r"([A-Z]\w+(?: et al\.| & [A-Z]\w+)? \d{4}), [^;]*?,? ?"
    reference = re.sub(cited + r"arXiv:(\d+\.\d+)", r"[\1](https://arxiv.org/abs/\2)", reference)
    return re.sub(cited + r"doi:(10\.[^\s,;]+)", r"[\1](https://doi.org/\2)", reference)


def with_registry(text):
    """Return docs/measures.md with its generated part as the registry has it now."""
    before, rest = text.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n\n{registry_section()}\n\n{END}{after}"


def agreement_table(folder):
    """Score the inputs of a folder of reference values, and compare them with ours."""
    values = json.loads((folder / "reference.json").read_text())

    def score(name):
        return lambda x, y: registry.load(name).score(x, y).item()

    def mean_correlation(predict):
        return lambda x, y: held_out_correlations(x, y, predict).mean().item()

    compared = [
        (name, *theirs, score(name), True) for name, theirs in reference_ids(folder).items()
    ]
    compared += [
        (name, theirs, float, mean_correlation(predict), False)
        for name, (theirs, predict) in HELD_OUT.items()
    ]
    rows = []
    for name, theirs, convert, ours, in_single in compared:
        for case, entry in values[theirs].items():
            path = folder / "inputs" / f"{case}.npz"
            if not path.exists() or entry["value"] is None:
                continue
            arrays = np.load(path)
            x, y = (torch.from_numpy(arrays[key]) for key in "XY")
            reference, value = convert(entry["value"]), ours(x, y)
            single = ours(x.float(), y.float()) if in_single else math.nan
            agree = [who for who, how in entry["status"].items() if how in ("exact", "close")]
            differ = [f"{who} ({how})" for who, how in entry["status"].items() if who not in agree]
            rows.append(
                {
                    "measure": name,
                    "input": case,
                    "ours": value,
                    "reference": reference,
                    "relative_difference": abs(value / reference - 1),
                    "single_precision_difference": abs(single / reference - 1),
                    "implementations_that_agree": "; ".join(agree),
                    "implementations_that_differ": "; ".join(differ),
                }
            )
    return pd.DataFrame(rows)


def agreement_figure(table):
    """Draw, a row per measure, how far our values are from those of other implementations."""
    names = list(dict.fromkeys(table.measure))
    figure, axis = plt.subplots(figsize=(PAGE_WIDTH, 0.6 + 0.145 * len(names)))
    for place, name in enumerate(names):
        of_measure = table[table.measure == name]
        for column, colour, marker, label in (
            ("relative_difference", "#0072B2", "o", "double precision"),
            ("single_precision_difference", "#D55E00", "^", "single precision"),
        ):
            axis.plot(
                of_measure[column].clip(lower=EXACT),
                [place] * len(of_measure),
                linestyle="none",
                marker=marker,
                markersize=3,
                markerfacecolor="none",
                color=colour,
                label=label if place == 0 else None,
            )
        agreeing = {
            who.split(":")[0].split(" ")[0]
            for listed in of_measure.implementations_that_agree
            for who in listed.split("; ")
            if who
        }
        axis.text(1.01, place, len(agreeing), transform=axis.get_yaxis_transform(), va="center")
    for limit in (1e-8, 1e-4):
        axis.axvline(limit, color="0.5", linewidth=0.6, linestyle="--")
    axis.text(1.01, -1, "sources", transform=axis.get_yaxis_transform(), va="center")
    axis.set_yticks(
        range(len(names)),
        [", ".join([measure_label(name.split(", ")[0]), *name.split(", ")[1:]]) for name in names],
    )
    axis.set(
        xscale="log",
        xlim=(EXACT / 2, 1e-3),
        ylim=(len(names) - 0.4, -1.6),
        xlabel="|ours / theirs − 1|, an input each; 10⁻¹⁷: equal; dashed: tolerances",
    )
    axis.legend(loc="upper left", ncols=2)
    return figure


def execute_tutorial():
    """Run docs/tutorial.ipynb and store its outputs in it."""
    import nbformat
    from nbclient import NotebookClient

    path = DOCS / "tutorial.ipynb"
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    for cell in notebook.cells:
        # Times and process numbers would differ from run to run.
        cell.metadata.pop("execution", None)
    notebook.metadata.pop("language_info", None)
    nbformat.write(notebook, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", type=Path, help="folder of independent reference values")
    options = parser.parse_args()
    page = DOCS / "measures.md"
    page.write_text(with_registry(page.read_text()))
    execute_tutorial()
    if options.reference:
        warnings.simplefilter("ignore", registry.SaturatedScoreWarning)
        table = agreement_table(options.reference)
        table.to_csv(DOCS / "measures_agreement.csv", index=False, float_format="%.12g")
        use_style()
        agreement_figure(table).savefig(
            DOCS / "images/measures_agreement.png", metadata={"Software": None}
        )


if __name__ == "__main__":
    main()
