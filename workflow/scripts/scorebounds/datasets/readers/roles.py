"""Is a column or an array a neuron, a label, the names of the rows, or a counter of trials?

A number that names something, read as a neuron, makes independent data look alike. So what is not
plainly a neuron is taken as what its name and values say, or the user is asked.
"""

import json
import re
from collections.abc import Mapping, Sequence

import numpy as np

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.axes import meaning
from scorebounds.datasets.readers.odd import is_rising, odd_columns, require_no_marks
from scorebounds.datasets.readers.vocabulary import (
    CLASSES,
    IDENTIFIERS,
    QUANTITIES,
    STIMULI,
    is_counter,
    is_whole,
    words,
)

NEURON, LABEL, NAME, IGNORED = "neuron", "label", "name", "ignore"
# What `columns` of an entry may say of a column.
ROLES = (NEURON, LABEL, NAME, IGNORED)
COUNTER, INDEX, UNDECIDED = "counter of trials", "index of the rows", "undecided"

MIN_SHARE_OF_FAMILY = 0.8
# Columns that an error lists, to be copied.
MAX_LISTED = 50


def roles_of_columns(columns: Mapping[str, np.ndarray], given: Mapping[str, str]) -> dict[str, str]:
    """Say what each column of a table is.

    Parameters
    ----------
    columns : mapping of str to ndarray
        Values by name, of numbers or text.
    given : mapping of str to str
        What the user says that some columns are.

    Returns
    -------
    dict
        A role for each column.

    Raises
    ------
    UnusableError
        If a column of numbers may or may not be a neuron.
    """
    roles = {name: given.get(name) or _role(name, values) for name, values in columns.items()}
    families = _families(roles)
    for name, role in roles.items():
        is_one_of_many = families.get(name, 0) > 2 and columns[name].dtype.kind in "fiu"
        if name not in given and role != NEURON and is_one_of_many:
            roles[name] = NEURON
    _require_rows_of_samples(columns, given)
    numeric = [name for name, role in roles.items() if role == NEURON]
    if not numeric:
        # Nothing but spikes that are there or not.
        flags = [n for n, v in columns.items() if v.dtype.kind == "b" and n not in given]
        roles |= dict.fromkeys(flags, NEURON)
    asked = [name for name in numeric if name not in given]
    if numeric:
        _ask_about_odd(columns, asked, numeric)
        _ask_about_empty(columns, asked, families)
        _ask_about_outsiders(asked, families)
    undecided = [name for name, role in roles.items() if role == UNDECIDED]
    if undecided:
        _ask(undecided, "its name is not that of a neuron, and its values are those of no class")
    return roles


def _require_rows_of_samples(columns: Mapping[str, np.ndarray], given: Mapping[str, str]) -> None:
    """Refuse a table whose rows are neurons, or a neuron at a time."""
    for name, values in columns.items():
        if name in given or values.dtype.kind not in "UTiu":
            continue
        if meaning(name) != "neuron" and not (not name and _are_neurons(values)):
            continue
        if re.fullmatch(r"features?|.*\d", name.strip().lower()):
            continue
        what = "a row per neuron" if _each_once(values) else "a row per sample and neuron"
        if values.dtype.kind in "UT" or not _each_once(values) or _is_counting(values):
            raise UnusableError(
                f"expected a row per sample and a column per neuron, got a column {name!r} as a "
                f"table with {what} has; save it the other way round (pandas: .T or .pivot), or "
                f"say in the entry what the column is: columns: {{{name}: {LABEL}}}"
            )


def _are_neurons(names: np.ndarray) -> bool:
    """Say whether names are those of neurons and numbered, as `u0`, `unit_1`, `neuron 2`."""
    if names.dtype.kind not in "UT" or not _each_once(names):
        return False
    stems = {re.sub(r"[\s_.-]*\d+$", "", str(name)).strip().lower() for name in names}
    return len(stems) == 1 and any(s in ("u", "n") or meaning(s) == "neuron" for s in stems)


def _role(name: str, values: np.ndarray) -> str:
    """Say what a column is by its name and kind of values alone."""
    plain = words(name)
    if not plain or re.fullmatch(r"unnamed_\d+(_\d+)?", plain):
        if values.dtype.kind in "iuf" and (is_rising(values) or _is_counting(values)):
            return INDEX
        if values.dtype.kind in "UTiu" and _each_once(values):
            return NAME
        return LABEL if values.dtype.kind in "UT" else UNDECIDED
    if values.dtype.kind in "bUT":
        return LABEL
    if plain in ("index", "idx", "row", "level_0") and _is_counting(values):
        return INDEX
    if is_counter(name):
        return COUNTER
    if any(pattern.fullmatch(plain) for pattern in (STIMULI, IDENTIFIERS, CLASSES)):
        return LABEL if is_whole(values) or not _each_once(values) else UNDECIDED
    return UNDECIDED if QUANTITIES.fullmatch(plain) else NEURON


def _each_once(values: np.ndarray) -> bool:
    return len(np.unique(values)) == len(values)


def _is_counting(values: np.ndarray) -> bool:
    first = values[0] if len(values) else np.nan
    return first in (0, 1) and bool((values == first + np.arange(len(values))).all())


def _families(names: Mapping[str, str]) -> dict[str, int]:
    """Count the columns that are named alike but for a number at the end."""
    stems = {name: re.sub(r"[\s_.-]*\d+$", "", name).casefold() for name in names}
    counts: dict[str, int] = {}
    for stem in stems.values():
        counts[stem] = counts.get(stem, 0) + 1
    return {name: counts[stem] for name, stem in stems.items() if len(stem) < len(name)}


def _ask_about_outsiders(neurons: Sequence[str], families: Mapping[str, int]) -> None:
    """Raise UnusableError for a few names among many that differ in their number only."""
    members = [name for name in neurons if families.get(name, 0) > 2]
    outsiders = [name for name in neurons if name not in members]
    if outsiders and len(members) >= MIN_SHARE_OF_FAMILY * len(neurons):
        shown = ", ".join(map(repr, members[:2]))
        _ask(outsiders, f"its name is not like those of the others ({shown}, …)")


def _ask_about_odd(
    columns: Mapping[str, np.ndarray], asked: Sequence[str], neurons: Sequence[str]
) -> None:
    """Raise UnusableError if a column is unlike the other neurons."""
    matrix = np.column_stack([columns[name].astype(np.float64) for name in neurons])
    require_no_marks(matrix, "the columns")
    odd = [(neurons[at], reason) for at, reason in odd_columns(matrix) if neurons[at] in asked]
    if odd:
        _ask([name for name, _ in odd], odd[0][1])


def _ask_about_empty(
    columns: Mapping[str, np.ndarray], asked: Sequence[str], families: Mapping[str, int]
) -> None:
    """Raise UnusableError for a column without any value that is not named like the others."""
    empty = [n for n in asked if columns[n].dtype.kind == "f" and np.isnan(columns[n]).all()]
    strange = [name for name in empty if families.get(name, 0) < 3]
    if strange:
        _ask(strange, "it has no value in any row")


def _ask(names: Sequence[str], reason: str) -> None:
    """Raise UnusableError that asks for the role of one or several columns."""
    more = f"; nor of {len(names) - 1} other columns" if names[1:] else ""
    roles = ", ".join(f"{as_yaml(name)}: {IGNORED}" for name in names[:MAX_LISTED])
    cut = ", …" if names[MAX_LISTED:] else ""
    column = f"column {names[0]!r}" if names[0] else "the column without a name"
    raise UnusableError(
        f"cannot tell whether {column} is a neuron: {reason}{more}; say it in the "
        f"entry, as columns: {{{roles}{cut}}}, or {NEURON}, {LABEL} or {NAME}"
    )


def as_yaml(name: str) -> str:
    """Write a name as YAML reads it back.

    >>> as_yaml("x7"), as_yaml("no"), as_yaml("01")
    ('x7', '"no"', '"01"')
    """
    is_plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", name)
    is_word = name.lower() in ("yes", "no", "on", "off", "true", "false", "null")
    return name if is_plain and not is_word else json.dumps(name, ensure_ascii=False)
