"""The files that each dataset is made from, and what is known of them."""


def catalogue_entry(column):
    """Return the function of (folder, file) wildcards that looks a column up."""
    return lambda wildcards: CATALOGUE[wildcards.folder, wildcards.file][column]


def folders_of_catalogue(*algorithms):
    """List the folders of data/raw whose files have checksums by these algorithms, or none ("")."""
    folders = {}
    for (folder, _), row in CATALOGUE.items():
        folders.setdefault(folder, set()).add(row["checksum"].partition(":")[0])
    return [folder for folder, found in folders.items() if found <= set(algorithms)]


def digits_of_checksum(wildcards):
    """Return the checksum of a file in the catalogue, without its algorithm."""
    return catalogue_entry("checksum")(wildcards).partition(":")[2]


def sha256_of_raw_file(wildcards):
    """Return the SHA-256 of a file of the catalogue, or else of its first download, once that is recorded."""
    known = digits_of_checksum(wildcards)
    lock = Path(prefixed(CHECKSUM_LOCK))
    if known or not lock.is_file():
        return known
    lines = [line.partition("  ") for line in lock.read_text(encoding="utf-8").splitlines()]
    recorded = {name: checksum.partition(":")[2] for checksum, _, name in lines}
    return recorded.get(f"{wildcards.folder}/{wildcards.file}", "")


def raw_files(wildcards):
    """List the files that a dataset is made from."""
    if wildcards.dataset in USER_DATASETS:
        return custom_files(wildcards.dataset)
    if wildcards.dataset == PRIVATE:
        return [absolute(config[PRIVATE]["path"])]
    return fetched_files(wildcards.dataset)


def raw_checksums(wildcards):
    """List the checksums of these files, empty if not known; no list for those of a user."""
    if wildcards.dataset == PRIVATE:
        return []
    return [CATALOGUE[key]["checksum"] for key in catalogue_files(wildcards.dataset)]


def dataset_settings(wildcards):
    """Return the settings of a dataset's loader."""
    if wildcards.dataset in USER_DATASETS:
        entry = USER_DATASETS[wildcards.dataset]
        return {key: value for key, value in entry.items() if key != "path"}
    section = config.get(wildcards.dataset, {})
    return {key: value for key, value in section.items() if key != "path"}


def dataset_provenance(wildcards):
    """Return licence and citation of a dataset, as attributes of its prepared file."""
    rows = [CATALOGUE[key] for key in catalogue_files(wildcards.dataset)]
    return {column: rows[0][column] if rows else "" for column in ("licence", "citation")}


def files_and_paths(dataset):
    """List (file, path) of what a dataset is made from; the path is empty if it is not used."""
    if dataset in USER_DATASETS:
        return [(path, path) for path in custom_files(dataset)]
    path = absolute(config[PRIVATE]["path"]) if dataset == PRIVATE else ""
    return [
        (file, (path or f"data/raw/{folder}/{file}") if dataset in DATASETS_TO_READ else "")
        for folder, file in catalogue_files(dataset)
    ] or [("", "")]


def why_left_out(dataset):
    """Say why a dataset takes no part; empty if it does."""
    if dataset in ACTIVE_DATASETS:
        return ""
    if dataset in DATASETS_TO_READ:
        return "not in `datasets`; its published results are what others are compared with"
    if dataset in MISSING_OFFLINE:
        return (
            f"offline, and neither in data/raw nor in a folder mirror: {MISSING_OFFLINE[dataset]}"
        )
    if dataset == PRIVATE:
        return f"not public: name its file under `{PRIVATE}` and add it to `datasets`"
    return "not in `datasets`"


def availability_entries():
    """List every file of every known dataset, with what is known of it before it is read."""
    entries = []
    for dataset in known_datasets():
        for file, path in files_and_paths(dataset):
            key = (PUBLISHED if dataset.startswith(SURROGATE) else dataset, file)
            row = CATALOGUE.get(key, {})
            own = dataset in USER_DATASETS or (dataset == PRIVATE and path)
            status = "left out"
            if dataset in ACTIVE_DATASETS:
                status = "made" if dataset in EMBEDDED else "used"
            elif dataset in DATASETS_TO_READ:
                status = "compared with"
            entries.append(
                {
                    **{name: row.get(name, "") for name in ("checksum", "licence", "citation")},
                    "dataset": dataset,
                    "file": file,
                    "path": prefixed(path),
                    "status": status,
                    "source": path if own else "",
                    "reason": why_left_out(dataset),
                }
            )
    return entries
