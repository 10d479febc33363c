"""Check that a tag may be released, and print the section of the changelog that describes it.

    python .github/release.py v0.3.0

A release is made in three steps: set the version in
`workflow/scripts/scorebounds/core/version.py` and version and date in `CITATION.cff`, give the
section `Unreleased` of CHANGELOG.md the heading `## [0.3.0] - <date>`, and push the tag. The
workflow `release` then calls this program and publishes what it prints.
"""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def notes(tag, repository="", root=ROOT):
    """Return the section of a tag; raise ValueError where a file has other versions or dates."""
    version = tag.removeprefix("v")
    if tag == version or not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise ValueError(f"expected a tag such as v0.3.0, got {tag!r}")
    module = (root / "workflow/scripts/scorebounds/core/version.py").read_text(encoding="utf-8")
    if f'"{version}"' not in module:
        raise ValueError(f"core/version.py: expected the version {version} of the tag")
    changes = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = rf"(?m)^## \[?{re.escape(version)}\]? - (\d{{4}}-\d\d-\d\d)$"
    found = re.search(heading, changes)
    if not found:
        raise ValueError(f"CHANGELOG.md: expected a heading `## [{version}] - <date>`")
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    lines = [f"version: {version}", f"date-released: {found[1]}"]
    if repository:
        lines.append(f'repository-code: "https://github.com/{repository}"')
    for line in lines:
        if line not in citation.splitlines():
            raise ValueError(f"CITATION.cff: expected the line `{line}`")
    return re.split(r"(?m)^## ", changes[found.end() :])[0].strip()


if __name__ == "__main__":
    try:
        print(notes(sys.argv[1], os.environ.get("GITHUB_REPOSITORY", "")))
    except (IndexError, ValueError) as error:
        sys.exit(f"{error}" if isinstance(error, ValueError) else __doc__)
