"""Templates of HTML pages."""

from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from scorebounds.core.version import __version__


def load_template(path: Path) -> Template:
    """Load a template that escapes values, refuses missing ones and knows `version`."""
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    environment.globals["version"] = __version__
    return environment.from_string(path.read_text(encoding="utf-8"))
