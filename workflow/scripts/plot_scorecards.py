"""Draw where the models of a dataset stand (rule plot_scorecards)."""

from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.scorecards import scorecard_figure
from scorebounds.figures.style import save, use_style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(cards, capture, targets):
    table = pd.concat([read_table(card) for card in cards], ignore_index=True)
    use_style()
    save(*scorecard_figure(table, read_table(capture)), **targets)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.input.cards, snakemake.input.capture, dict(snakemake.output.items()))
