"""Checks of the settings, before anything else is read."""

import difflib

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate


def settings_sentence(error):
    """Say in one sentence what a setting should have been."""
    place = " → ".join(str(part) for part in error.absolute_path) or "top level"
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        unknown = sorted(set(error.instance) - set(known))[0]
        close = difflib.get_close_matches(unknown, known, n=1)
        meant = f", did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"
        return f"config, {place}: unknown key {unknown!r}{meant}"
    if error.validator == "required":
        return f"config, {place}: {error.message}"
    expected = error.schema.get("description") or error.message
    return f"config, {place}: expected {expected}, got {error.instance!r}"


def read_command_line(settings):
    """Read `--config offline=true` and `mirrors=<one>`, which Snakemake hands on as text."""
    if str(settings.get("offline")).lower() in ("true", "false"):
        settings["offline"] = str(settings["offline"]).lower() == "true"
    if isinstance(settings.get("mirrors"), str):
        settings["mirrors"] = [settings["mirrors"]]


def check_settings(settings):
    """Hold the settings to their schema; the first fault ends the run with one sentence."""
    read_command_line(settings)
    try:
        validate(settings, "workflow/schemas/config.schema.yaml")
    except WorkflowError as error:
        if not hasattr(error.__context__, "absolute_path"):
            raise
        raise WorkflowError(settings_sentence(error.__context__)) from None
