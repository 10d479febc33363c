"""Draw the toy and its animation (rule plot_toy)."""

from typing import TYPE_CHECKING

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.style import save, use_style
from scorebounds.figures.toy import save_animation, toy_figure

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(curves, frames, *, gif, **targets):
    captured, shown = read_table(curves), read_table(frames)
    use_style()
    save(*toy_figure(captured, shown), **targets)
    save_animation(shown, gif)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.curves,
            snakemake.input.frames,
            **dict(snakemake.output.items()),
        )
