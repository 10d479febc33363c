"""Animate the data of the toy during optimisation (rule animate_toy)."""

from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.style import use_style
from scorebounds.figures.toy import save_animation

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(target: str, frames: str) -> None:
    use_style()
    save_animation(read_table(frames), target)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.output[0], snakemake.input.frames)
