"""The text of the rules of the workflow, and which of them run a script."""

import re

from helpers.workflow import ROOT

RULES = "\n".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))


def rules_with_scripts():
    blocks = re.split(r"(?m)^rule ", RULES)[1:]
    return {block.split(":", 1)[0]: block for block in blocks if "    script:" in block}
