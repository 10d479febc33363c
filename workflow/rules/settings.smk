"""The folder of the workflow, and checks of its settings before they are used."""

import difflib
import importlib.util
import logging
import os
import re
import signal
import sys
import tempfile
import threading
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from snakemake.exceptions import WorkflowError
from snakemake.sourcecache import LocalSourceFile

# Files of the repository that the workflow reads in addition to its rules.
READ_FROM_REPOSITORY = ("config.yaml", "data/datasets.tsv", "workflow/")


def workflow_folder():
    """Return the folder of this workflow, also where it is a module of another one.

    Snakemake keeps the files of a repository on a hosting site in its source cache, where a
    script finds the library next to it.
    """
    root = workflow.current_basedir.join("../..")
    if isinstance(root, LocalSourceFile):
        # Relative, so that a cluster node or a container finds it from the working directory too.
        return Path(os.path.relpath(root.path))
    if not hasattr(root, "hosted_repo"):
        raise WorkflowError(
            "expected scorebounds as a folder on this machine or as a repository of a hosting site "
            "(github or gitlab, with Snakemake 9.15 or newer), got "
            f"{workflow.current_basedir}; see docs/module.md"
        )
    tree = f"{root.ref}:" if root.path == "." else f"{root.ref}:{root.path}"
    names = root.hosted_repo.repo.git.ls_tree("-r", "--name-only", tree).splitlines()
    needed = [name for name in names if name.startswith(READ_FROM_REPOSITORY)]
    paths = {name: Path(workflow.sourcecache.get_path(root.join(name))) for name in needed}
    return paths["config.yaml"].parent


WORKFLOW = workflow_folder()
# Of a path to Python, what Snakemake cannot start a job with: it does not quote it.
UNUSABLE = re.search(r"[\s()\[\]{}'\"&;|<>$`*?!#\\]", sys.executable)
if UNUSABLE:
    raise WorkflowError(
        f"expected a Python whose path has no spaces, brackets or quotes, got {sys.executable!r}: "
        "Snakemake cannot start jobs with it; move the folder of the project, or its .venv, to "
        "another path"
    )
# Puts paths under the prefix that a module may have; Snakemake itself does so with inputs and outputs.
PATHS = workflow.modifier.path_modifier


def prefixed(path):
    """Return the path of a file of this workflow: under the prefix, if it is a module with one."""
    return str(PATHS.replace_prefix(str(path))) if path else ""


def absolute(path):
    """Return a path that no prefix is put before: of a user's own file."""
    return str(path) if prefixed(path) == str(path) else os.path.abspath(path)


# The parser in C, where PyYAML has it.
YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def faults_of_keys(node, place=()):
    """Yield what YAML would take otherwise than it is written: repeated keys, names read as numbers."""
    if isinstance(node, yaml.MappingNode):
        lines = {}
        for key, value in node.value:
            where = f"{key.start_mark.name}, line {key.start_mark.line + 1}"
            name = str(key.value)
            if name in lines and name != "<<":
                yield f"{where}: expected each key once, got {name!r} again after line {lines[name]}"
            lines[name] = key.start_mark.line + 1
            if place in (("custom",), ("models",)) and not key.tag.endswith(":str"):
                yield (
                    f"{where}: expected the name of a dataset or model, got {name}, which YAML "
                    f"reads as {key.tag.rpartition(':')[2]}; start it with a letter, as data-{name}"
                )
            # Columns of an array are numbered: 0, 1, …; 01 and 1_0 are other numbers to YAML.
            is_plain = key.tag.endswith(":str") or re.fullmatch(r"0|[1-9]\d*", name)
            if place[2:] == ("columns",) and not is_plain:
                yield (
                    f"{where}: expected the name of a column, got {name}, which YAML reads as "
                    f'{key.tag.rpartition(":")[2]}; write it in quotes, as "{name}"'
                )
            yield from faults_of_keys(value, (*place, name))
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from faults_of_keys(value, (*place, ""))


def check_own_settings(path):
    """Refuse a file of settings that Snakemake could not read, before it does."""
    if not Path(path).exists():
        return
    try:
        with open(path, encoding="utf-8") as file:
            settings = yaml.load(file, Loader=YAML_LOADER)
        found = None if isinstance(settings, dict) else "no settings"
    except IsADirectoryError:
        found = "a folder"
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        found = " ".join(str(error).split())
    if found:
        raise WorkflowError(
            f"{path}: expected a text file (UTF-8) of your settings in YAML, as in config.yaml, got "
            f"{found}; correct or delete it"
        )


def check_config_files():
    """Refuse config files that YAML would take otherwise than they are written."""
    for path in dict.fromkeys(map(str, workflow.configfiles)):
        if Path(path).is_file():
            with open(path, encoding="utf-8") as file:
                faults = list(faults_of_keys(yaml.compose(file, Loader=YAML_LOADER)))
            if faults:
                raise WorkflowError(faults[0])


def folders_of_rules():
    """List the folders of `data` and `results` that rules write to, as far as they are fixed."""
    roots = tuple(prefixed(name) + os.sep for name in ("data", "results"))
    folders = {prefixed("data"), prefixed("results")}
    for each in workflow.rules:
        for file in map(str, [*each.output, *each.log, each.benchmark]):
            if file.startswith(roots):
                folders.add(os.path.dirname(file.partition("{")[0]))
    return sorted(folders)


def check_folders(folders):
    """Refuse a file in the place of a folder, and a folder that cannot be written to."""
    for folder in map(Path, [*folders, RECORDS]):
        places = (folder, *folder.parents)
        existing = next((place for place in places if os.path.lexists(place)), Path("."))
        if not existing.is_dir():
            raise WorkflowError(
                f"{existing}: expected a folder, found a file or a broken link; rename or delete it"
            )
        # What is in `data` already need not be written again.
        is_result = folder.is_relative_to(prefixed("results")) or folder == RECORDS
        if is_result and not os.access(existing, os.W_OK):
            raise WorkflowError(
                f"{existing.absolute()}: expected a folder that this user can write to; change its "
                "permissions, or run in another folder (--directory)"
            )
    check_space(RECORDS if RECORDS.is_dir() else Path("."))


# Where Snakemake keeps its records, and the bytes that those of a run need at least.
RECORDS = Path(".snakemake")
RECORD_BYTES = 1_000_000


def check_space(folder):
    """Refuse a full disk, or a quota that is used up, on which Snakemake could not keep its records."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(RECORD_BYTES))
    except OSError as error:
        raise WorkflowError(
            f"{folder.absolute()}: expected {RECORD_BYTES / 1e6:g} MB of free space for the records "
            f"of Snakemake, got: {error.strerror}; free some space, or run in another folder "
            "(--directory)"
        ) from None


def end_on_hangup():
    """End the run without a lock when its terminal is closed, or when it is terminated early."""
    if threading.current_thread() is not threading.main_thread():
        return
    # Not under nohup, which ignores the signal.
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    # Snakemake sets its own handler later than its lock.
    if workflow.is_main_process and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def end_in_a_thread():
    """Call Snakemake's handler of SIGTERM in a thread of its own.

    It waits for a lock that the main thread, where handlers run, holds while it chooses jobs.
    """
    handler = signal.getsignal(signal.SIGTERM)

    def start(*arguments):
        threading.Thread(target=handler, args=arguments, daemon=True).start()

    if callable(handler) and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, start)


end_on_hangup()
# A full disk holds no log of Snakemake either, whose handler would print a traceback per line.
logging.raiseExceptions = False


def read_yaml(path):
    """Read a YAML file."""
    return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=YAML_LOADER)


def load_module(path):
    """Run a file of this workflow that needs the standard library only, and return its module."""
    spec = importlib.util.spec_from_file_location(f"_scorebounds_{path.stem}", path)
    loaded = importlib.util.module_from_spec(spec)
    # Dataclasses look their own module up.
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def fill_in(settings, defaults):
    """Take defaults for what is not set: of a module, Snakemake reads no `configfile`."""
    for key, value in defaults.items():
        if isinstance(value, dict) and isinstance(settings.get(key), dict):
            fill_in(settings[key], value)
        else:
            settings.setdefault(key, value)


# The library's table of measures, which needs the standard library only.
MEASURE_TABLE = load_module(WORKFLOW / "workflow/scripts/scorebounds/core/measure_table.py")
# Likewise the addresses of mirrors, and the networks whose layers are compared.
ADDRESSES = load_module(WORKFLOW / "workflow/scripts/scorebounds/fetching/addresses.py")
ARCHITECTURES = load_module(WORKFLOW / "workflow/scripts/scorebounds/networks/architectures.py")


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
    if workflow.modifier.skip_validation:
        return
    schema = read_yaml(WORKFLOW / f"workflow/schemas/{name}.schema.yaml")
    if name == "config":
        schema["$defs"]["measure"]["pattern"] = MEASURE_TABLE.id_pattern()
        schema["$defs"]["optimized_measure"]["pattern"] = MEASURE_TABLE.id_pattern(
            with_gradient=True
        )
    for error in Draft202012Validator(schema).iter_errors(data):
        raise WorkflowError(schema_sentence(name, error))


def check_settings(settings):
    """Read what the command line hands on as text (`offline=true`, `mirrors=<one>`), and check."""
    check_config_files()
    if str(settings.get("offline")).lower() in ("true", "false"):
        settings["offline"] = str(settings["offline"]).lower() == "true"
    if isinstance(settings.get("mirrors"), str):
        settings["mirrors"] = [settings["mirrors"]]
    hold_to_schema("config", settings)
    try:
        ADDRESSES.mirror_sources(settings["mirrors"], "")
    except ValueError as error:
        raise WorkflowError(f"config, {error}") from None
    expand_home(settings)


def expand_home(settings):
    """Write out the home folder, `~`, in the paths of the user's files and of mirrors."""
    for entry in [
        *settings["custom"].values(),
        *settings["models"].values(),
        settings["siegel2015"],
    ]:
        for key in ("path", "labels", "mask"):
            if isinstance(entry.get(key), str):
                entry[key] = os.path.expanduser(entry[key])
    settings["mirrors"] = [os.path.expanduser(mirror) for mirror in settings["mirrors"]]


CODE_DIGEST = load_module(WORKFLOW / "workflow/rules/code_digest.py")
