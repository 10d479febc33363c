"""Write how the measures of score cards are defined (rule describe_measures)."""

from typing import TYPE_CHECKING

from scorebounds.analyses.measures import definitions
from scorebounds.core.joblog import job_log
from scorebounds.core.tables import write_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        write_table(snakemake.output[0], definitions(snakemake.params.measures))
