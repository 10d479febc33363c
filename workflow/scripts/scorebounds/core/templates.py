"""Templates of HTML pages."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from scorebounds.core.version import __version__
from scorebounds.core.visible import visible


def _visible(value: Any) -> Any:
    # What is marked as safe is a part of the page, as its scripts.
    return visible(value) if type(value) is str else value


def load_template(path: Path) -> Template:
    """Load a template that escapes values, refuses missing ones and knows `version`."""
    environment = Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_visible,
    )
    environment.globals["version"] = __version__
    return environment.from_string(path.read_text(encoding="utf-8"))
