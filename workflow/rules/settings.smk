"""Checks of the settings and the catalogue, before anything else is done with them."""

import difflib

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate


def schema_sentence(name, error):
    """Say in one sentence what a value should have been."""
    place = " → ".join(str(part) for part in error.absolute_path) or "top level"
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        unknown = sorted(set(error.instance) - set(known))[0]
        close = difflib.get_close_matches(unknown, known, n=1)
        meant = f", did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"
        return f"{name}, {place}: unknown key {unknown!r}{meant}"
    if error.validator == "required":
        return f"{name}, {place}: {error.message}"
    expected = error.schema.get("description") or error.message
    return f"{name}, {place}: expected {expected}, got {error.instance!r}"


def hold_to_schema(name, data):
    """Check data against workflow/schemas/<name>.schema.yaml; the first fault ends the run."""
    try:
        validate(data, str(Path(workflow.basedir) / f"workflow/schemas/{name}.schema.yaml"))
    except WorkflowError as error:
        if not hasattr(error.__context__, "absolute_path"):
            raise
        raise WorkflowError(schema_sentence(name, error.__context__)) from None


def check_settings(settings):
    """Read what the command line hands on as text (`offline=true`, `mirrors=<one>`), and check."""
    if str(settings.get("offline")).lower() in ("true", "false"):
        settings["offline"] = str(settings["offline"]).lower() == "true"
    if isinstance(settings.get("mirrors"), str):
        settings["mirrors"] = [settings["mirrors"]]
    hold_to_schema("config", settings)
