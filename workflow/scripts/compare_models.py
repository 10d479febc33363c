"""Compare the models of a recording with each other (rule compare_models)."""

from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table, write_table
from scorebounds.scorecards.comparisons import compare

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def gathered(models: list[str], paths: list[str]) -> pd.DataFrame:
    """Read a table of each model as one, with the name of the model."""
    tables = [
        read_table(path).assign(model=model) for model, path in zip(models, paths, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)


def main(
    target: str, dataset: str, models: list[str], scores: list[str], replicates: list[str]
) -> None:
    table = compare(gathered(models, scores), gathered(models, replicates))
    table.insert(0, "dataset", dataset)
    write_table(target, table)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.output[0],
            snakemake.wildcards.dataset,
            snakemake.params.models,
            snakemake.input.scores,
            snakemake.input.replicates,
        )
