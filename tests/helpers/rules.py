"""The text of the rules of the workflow, and which of them run a script."""

import re

from helpers.workflow import ROOT

RULES = "\n".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))


def rules_with_scripts():
    blocks = re.split(r"(?m)^ *(?:use )?rule\b ?", RULES)[1:]
    return {block.split(":", 1)[0]: block for block in blocks if "    script:" in block}


def derived_rules():
    """Return the rules that are written as another one with other files, and that one's name."""
    return {name: base for base, name in re.findall(r"(?m)^use rule (\w+) as (\w+) with:", RULES)}
