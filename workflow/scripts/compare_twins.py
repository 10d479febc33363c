"""Compare the thresholds of a dataset with those of its Gaussian twins (rule compare_twins)."""

from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import open_dataset, write_table
from scorebounds.optimization.summary import summarize_trajectories
from scorebounds.optimization.twins import compare_with_twins, summarize_twins

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def tables(paths: list[str], level: float) -> dict[str, pd.DataFrame]:
    """Return the tables of thresholds, seeds and runs of several optimisations."""
    summaries = []
    for path in paths:
        stored = open_dataset(path)
        summary = summarize_trajectories(stored, level)
        summary["seeds"]["direction"] = int(stored.attrs["direction"])
        summaries.append(summary)
    return {
        name: pd.concat([summary[name] for summary in summaries], ignore_index=True)
        for name in ("thresholds", "seeds", "runs")
    }


def main(
    components: str, summary: str, paths: list[str], twin_paths: list[str], *, level: float
) -> None:
    data, twins = tables(paths, level), tables(twin_paths, level)
    compared = compare_with_twins(data["thresholds"], data["seeds"], twins["seeds"])
    write_table(components, compared)
    write_table(summary, summarize_twins(compared, data, twins))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.output.components,
            snakemake.output.summary,
            snakemake.input.optimized,
            snakemake.input.twins,
            level=snakemake.params.level,
        )
