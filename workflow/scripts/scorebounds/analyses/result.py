"""What all result objects share: a table, a figure, and a page of HTML."""

import base64
import html
import io
from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from scorebounds.core.templates import load_template
from scorebounds.core.visible import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PAGE = load_template(Path(__file__).with_name("result.html.j2"))
FLOAT_FORMAT = "{:.4g}".format


@dataclass(frozen=True)
class Result(ABC):
    """A result with its table.

    Attributes
    ----------
    table : DataFrame
    """

    table: pd.DataFrame

    @property
    @abstractmethod
    def title(self) -> str:
        """One line that says what the result is."""

    @abstractmethod
    def plot(self) -> "Figure":
        """Draw the result; needs matplotlib."""

    def to_html(self, path: str | Path) -> None:
        """Write one self-contained page with the figure, if matplotlib is installed, and the table.

        Parameters
        ----------
        path : str or Path
        """
        picture = _as_png(self.plot()) if find_spec("matplotlib") else ""
        table = table_html(self.table)
        page = _PAGE.render(title=self.title, picture=picture, table=table)
        Path(path).write_text(page, encoding="utf-8")

    def _repr_html_(self) -> str:
        return f"<p><b>{html.escape(visible(self.title))}</b></p>{table_html(self.table)}"


def table_html(table: pd.DataFrame) -> str:
    """Return a table as HTML with four significant digits."""
    return visible(table.to_html(index=False, border=0, float_format=FLOAT_FORMAT, na_rep=""))


def require_matplotlib() -> None:
    """Raise ImportError, with the remedy, where matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        raise ImportError(
            "plots need matplotlib, which is not installed; run "
            "`pip install 'scorebounds[figures]'`"
        )


def _as_png(figure: "Figure") -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
    return base64.b64encode(buffer.getvalue()).decode("ascii")
