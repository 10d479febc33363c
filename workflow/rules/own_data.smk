"""Users' own recordings and models: their entries in the settings, and their files."""

import functools
import hashlib
import stat

# What an entry of `models` says of its comparison; the rest is of its file.
MATCH_KEYS = ("references", "match", "layers")
# What follows the name of a model in the files of its score card.
PARTS_OF_SCORECARD = ("scores", "replicates", "components", "allowed")
# Bytes of the largest file whose content is hashed whenever the workflow is planned.
HASHED_UP_TO = 1e9


def own_entries():
    """Return how the user's files are read, by name: recordings, and models that have a file."""
    models = {
        name: {key: value for key, value in entry.items() if key not in MATCH_KEYS}
        for name, entry in MODEL_ENTRIES.items()
        if "path" in entry
    }
    return {**config["custom"], **models}


def custom_files(name):
    """List the files of a user's dataset: the recording, a table of labels, a mask."""
    entry = USER_DATASETS[name]
    paths = (entry["path"], entry.get("labels"), entry.get("mask"))
    return [absolute(path) for path in paths if isinstance(path, str)]


def check_custom():
    """Refuse a user's dataset or model that has the name of another or no file."""
    check_braces(config[PRIVATE]["path"], f"config, {PRIVATE} → path")
    if PRIVATE in config["datasets"] and not Path(config[PRIVATE]["path"] or "none").is_file():
        raise WorkflowError(
            f"config, {PRIVATE}: this recording is not public; expected its file under `path`, "
            f"got {config[PRIVATE]['path']!r}"
        )
    twice = [name for name in config["custom"] if "path" in MODEL_ENTRIES.get(name, {})]
    check_file_names([*USER_DATASETS, *MODEL_ENTRIES])
    for name in USER_DATASETS:
        section = "custom" if name in config["custom"] else "models"
        taken = name in EMBEDDED or catalogue_files(name) or name.startswith(SURROGATE)
        if taken or name in twice:
            raise WorkflowError(f"config, {section}: the name {name!r} is taken, choose another")
        for path in custom_files(name):
            check_braces(path, f"config, {section} → {name}")
        for path in custom_files(name):
            check_is_there(path, f"config, {section} → {name}")


def check_braces(path, place):
    """Refuse a path in which Snakemake would replace something."""
    if re.search("[{}<>]", path):
        raise WorkflowError(
            f"{place}: expected a path without braces and angle brackets, in which Snakemake would "
            f"replace what they enclose, got {path!r}; rename the file or folder"
        )


def check_is_there(path, place):
    """Refuse a path of a user that is neither a file nor a folder of data."""
    if ADDRESSES.is_remote(path):
        raise WorkflowError(
            f"{place}: expected a file on this machine, got an address, {ADDRESSES.public(path)}; "
            "download the file first"
        )
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        # A git-annex link without content is a file to the reader, which says what is wrong.
        if not Path(path).is_symlink():
            raise WorkflowError(f"{place}: no such file: {path}") from None
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise WorkflowError(
            f"{place}: expected the path of a file, got {path!r}: {reason}"
        ) from None
    # To read a device or a pipe would not end.
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) or Path(path).resolve() == Path("/"):
        raise WorkflowError(f"{place}: expected a file, or a folder of data, got {path}")


def check_file_names(names):
    """Refuse names of datasets and models whose files would be the same, or another's part."""
    seen = {}
    for name in dict.fromkeys(names):
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise WorkflowError(
                f"config: the names {other!r} and {name!r} differ in case only, and are one file "
                "on some systems; rename one"
            )
    for name in seen.values():
        base, _, part = name.rpartition(".")
        if base.lower() in seen and part.lower() in PARTS_OF_SCORECARD:
            raise WorkflowError(
                f"config: the files of {name!r} would be those of {base!r} that end in .{part}; "
                "rename one"
            )


@functools.cache
def state_of_file(path):
    """Return size and SHA-256 of a user's file; size and time of one over 1 GB or in a folder.

    An older file that replaces one is noticed by this, not by its time.
    """
    status = status_of(path)
    if os.path.isdir(path):
        states = [(str(file.relative_to(path)), status_of(file)) for file in Path(path).rglob("*")]
        listing = repr(sorted((name, state.st_size, state.st_mtime_ns) for name, state in states))
        return f"{len(states)} entries, {hashlib.sha256(listing.encode()).hexdigest()}"
    if status.st_size > HASHED_UP_TO or not os.path.isfile(path):
        return f"{status.st_size} bytes, time {status.st_mtime_ns}"
    with open(path, "rb") as file:
        return f"{status.st_size} bytes, {hashlib.file_digest(file, 'sha256').hexdigest()}"


def status_of(path):
    """Return the status of a file, or of a link whose target is not there."""
    try:
        return os.stat(path)
    except OSError:
        return os.lstat(path)


def states_of_files(wildcards):
    """List the states of the files of a user; the catalogue's files have checksums instead."""
    if wildcards.dataset in USER_DATASETS or wildcards.dataset == PRIVATE:
        return [state_of_file(path) for path in raw_files(wildcards)]
    return []
