"""Sphinx settings of the documentation site: `make docs` builds it in site/.

README.md and CONTRIBUTING.md are pages of the site, and the gallery is made from the registry of
figures, so that each thing is written once. Links keep working in the repository and on the site.
"""

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow/scripts"))

from scorebounds.core.version import __version__  # noqa: E402

project = "scorebounds"
author = "The scorebounds authors"
release = __version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["**.ipynb_checkpoints"]
language = "en"

# `docs/generate.py` executes the tutorial and stores its outputs.
nb_execution_mode = "off"
myst_heading_anchors = 4

# In docstrings, a single backquote is code.
default_role = "literal"
add_module_names = False
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"scorebounds {release}"
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_css_files = ["site.css"]
html_static_path = ["site.css"]

# Pages that are files of the repository, by the file that they show.
SHOWN = {"README.md": "index", "CONTRIBUTING.md": "contributing", "CHANGELOG.md": "changelog"}
LINK = re.compile(r"(\]\()([^)#\s]+)([^)]*\))")


def setup(app: Any) -> None:
    """Register what is done to each page before it is read."""
    app.connect("source-read", complete)


def complete(_app: Any, name: str, source: list[str]) -> None:
    """Put files of the repository and the gallery into their pages, and turn links to files."""
    text = with_site_links(source[0], Path("docs") / Path(name).parent)
    for file, page in SHOWN.items():
        if name == page:
            shown = (ROOT / file).read_text(encoding="utf-8")
            text = f"{with_site_links(shown, Path())}\n{text}"
    source[0] = text + gallery() if name == "gallery" else text


def with_site_links(text: str, folder: Path) -> str:
    """Rewrite the links of a file in a folder of the repository for its page on the site."""
    up = "../" * max(len(folder.parts) - 1, 0)

    def rewrite(match: re.Match[str]) -> str:
        before, target, rest = match.groups()
        path = (ROOT / folder / target).resolve()
        if re.match("[a-z]+:", target) or not path.is_relative_to(ROOT):
            return match[0]
        place = path.relative_to(ROOT).as_posix()
        if place in SHOWN:
            return f"{before}{up}{SHOWN[place]}.md{rest}"
        inside = place.removeprefix("docs/")
        return f"{before}{up}{inside if inside != place else f'../{place}'}{rest}"

    return LINK.sub(rewrite, text)


def gallery() -> str:
    """Return each figure that docs/images has: its question, the picture, how to draw it."""
    path = ROOT / "workflow/scripts/scorebounds/figures/registry.py"
    spec = importlib.util.spec_from_file_location("_figures", path)
    registry = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = registry
    spec.loader.exec_module(registry)
    lines = []
    for name, entry in registry.FIGURES.items():
        if (ROOT / f"docs/images/{name}.png").is_file():
            question = entry.caption.partition("?")[0].replace("{dataset}", "a dataset")
            lines += ["", f"## {entry.title[0].upper()}{entry.title[1:]}", "", f"{question}?", ""]
            lines += [f"![{entry.title}](images/{name}.png)", ""]
            lines += [f"`.venv/bin/snakemake --cores 2 figure_{name}`"]
    return "\n".join(lines) + "\n"
