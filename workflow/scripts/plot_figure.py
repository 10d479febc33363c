"""Draw one figure of figures/registry.py from its tables (rule plot_figure)."""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pandas as pd

from scorebounds.core.joblog import job_log
from scorebounds.core.tables import read_table
from scorebounds.figures.style import save, use_style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def read(paths: str | list[str]) -> pd.DataFrame:
    """Read a table, or several as one."""
    if isinstance(paths, str):
        return read_table(paths)
    return pd.concat([read_table(path) for path in paths], ignore_index=True)


def main(
    targets: Mapping[str, str],
    function: str,
    tables: Mapping[str, str | list[str]],
    settings: Mapping[str, Any],
    caption: str,
) -> None:
    module, _, name = function.partition(".")
    draw = getattr(import_module(f"scorebounds.figures.{module}"), name)
    use_style()
    figure, shown = draw(**{key: read(paths) for key, paths in tables.items()}, **settings)
    save(figure, shown, **targets, caption=caption)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            dict(snakemake.output.items()),
            snakemake.params.function,
            dict(snakemake.input.items()),
            snakemake.params.settings,
            snakemake.params.caption,
        )
