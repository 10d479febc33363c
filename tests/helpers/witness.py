"""Tell what a script of the workflow imports, and from where (sitecustomize of an environment).

Snakemake lets its own packages be found behind those of an environment, so one that is missing
could come from there. The interpreter itself says which file every import of ours led to.
"""

import atexit
import builtins
import json
import os
import sys
from pathlib import Path

FOLDER = os.environ.get("SCOREBOUNDS_WITNESS")
plain_import = builtins.__import__
seen = {"script": "", "prefix": sys.prefix, "imports": {}}


def witnessed_import(name, *arguments, **named):
    """Import as Python does; the first argument after the name is the importer's namespace."""
    imported = plain_import(name, *arguments, **named)
    namespace = named.get("globals", arguments[0] if arguments else None) or {}
    importer = os.path.normpath(str(namespace.get("__file__", "")))
    if "/workflow/scripts/" in importer:
        if namespace.get("__name__") == "__main__":
            seen["script"] = Path(importer).stem
        top = name.partition(".")[0]
        seen["imports"][top] = getattr(sys.modules[top], "__file__", None) or ""
    return imported


def tell():
    if seen["script"]:
        path = Path(FOLDER) / f"{seen['script']}-{os.getpid()}.json"
        path.write_text(json.dumps(seen), encoding="utf-8")


if FOLDER:
    builtins.__import__ = witnessed_import
    atexit.register(tell)
