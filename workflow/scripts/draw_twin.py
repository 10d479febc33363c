"""Draw a Gaussian twin of a dataset, and report on it (rule draw_twin)."""

from typing import TYPE_CHECKING

import numpy as np

from scorebounds.core.joblog import job_log
from scorebounds.core.random import derived_seed
from scorebounds.core.recording import read_recording, write_recording
from scorebounds.core.tables import write_report
from scorebounds.datasets.report import describe
from scorebounds.datasets.twins import gaussian_twin

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(target: str, report: str, path: str, original: str, name: str, *, seed: int) -> None:
    rng = np.random.default_rng(derived_seed(seed, "dataset", name))
    twin = gaussian_twin(rng, read_recording(path), original)
    twin.attrs["dataset"] = name
    write_recording(target, twin, name)
    write_report(report, describe(twin, []))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.output.recording,
            snakemake.output.report,
            snakemake.input.recording,
            snakemake.wildcards.original,
            snakemake.params.name,
            seed=snakemake.params.seed,
        )
