"""Interpret the scores of a model, as a table and a page (rule judge_model)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table, write_table
from scorebounds.core.version import __version__
from scorebounds.optimization.summary import THRESHOLD_COLUMNS
from scorebounds.scorecards.comparisons import comparisons_of
from scorebounds.scorecards.headline import model_statement
from scorebounds.scorecards.implied import allowed_scores
from scorebounds.scorecards.methods import SIZES, methods_text
from scorebounds.scorecards.page import scorecard_page
from scorebounds.scorecards.verdicts import interpret

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    targets: Mapping[str, str],
    sources: Mapping[str, Any],
    names: Mapping[str, str],
    facts: Mapping[str, Any],
    layer_of: str,
) -> None:
    scores, components, definitions, comparison = (
        read_table(sources[name]) for name in ("scores", "components", "measures", "comparison")
    )
    tables = [read_table(path) for path in sources["thresholds"]]
    # Without the analyses that find thresholds there are none to compare with.
    none = pd.DataFrame(columns=THRESHOLD_COLUMNS)
    thresholds = pd.concat(tables, ignore_index=True) if tables else none
    card = interpret(scores, components, thresholds)
    allowed = allowed_scores(card, components, [read_table(path) for path in sources["regions"]])
    for name, table in {"card": card, "allowed": allowed}.items():
        table = table.assign(**names)[[*names, *table.columns]]
        write_table(targets[name], table)
    sizes = card.iloc[0][list(SIZES)].dropna().astype(int)
    page = scorecard_page(
        card,
        allowed,
        comparisons_of(comparison, names["model"]),
        names["dataset"],
        names["model"],
        statement=model_statement(components),
        thresholds=thresholds,
        definitions=definitions,
        methods=methods_text({**facts, **sizes}, card, definitions.source),
        files={
            Path(targets["card"]).name: "the numbers of this page",
            Path(targets["allowed"]).name: "what each score implies for the others",
            Path(sources["components"]).name: "what the model explains of each component",
            f"../../data/{names['dataset']}.md": "what was read as the recording",
            **_profile(names["dataset"], layer_of),
        },
    )
    Path(targets["page"]).write_text(page, encoding="utf-8")


def _profile(dataset: str, layered: str) -> dict[str, str]:
    path = f"../../profiles/{dataset}/{layered}.html"
    return {path: f"the scores of all layers of {layered}"} if layered else {}


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            dict(snakemake.output.items()),
            dict(snakemake.input.items()),
            dict(snakemake.wildcards.items()),
            {**snakemake.params.facts, "version": __version__},
            snakemake.params.layer_of,
        )
