"""Is a column or an array a neuron, a label, the names of the rows, or a counter of trials?

A number that names something, read as a neuron, makes independent data look alike. So what is not
plainly a neuron is taken as what its name and values say, or the user is asked.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.axes import meaning

NEURON, LABEL, NAME, IGNORED = "neuron", "label", "name", "ignore"
# What `columns` of an entry may say of a column.
ROLES = (NEURON, LABEL, NAME, IGNORED)
COUNTER, INDEX, UNDECIDED = "counter of trials", "index of the rows", "undecided"

_COUNTERS = re.compile(
    r"(repetition|repeat|rep|trial|presentation|trial_?(id|num(ber)?|idx|index))s?"
)
_STIMULI = re.compile(
    r"(stimul(us|i)|stims?|images?|img|pictures?|pics?|files?|filenames?|paths?|sentences?|items?)"
    r"(_?(id|name|number|num|idx|index|hash|path|file))?s?"
    r"|(\w+_)?(file|image|img|stimulus|stim)_?(name|id|path)s?|names?|uuid|hash|md5|sha1|sha256"
)
_IDENTIFIERS = re.compile(
    r"(.*[\s_.-])?(id|ids|index|idx|uuid|hash|number|no|row|rows)|[a-z]+Id|[a-z]+ID"
)
_CLASSES = re.compile(
    r"(.*[\s_.-])?(category|class|label|condition|cond|block|session|run|subject|animal|monkey|"
    r"target|choice|context|side|direction|orientation|object|texture|family|fold|split|cue|"
    r"outcome|reward|correct|region|area|group|task|coherence|contrast|date|day|time|timestamp|rt)"
    r"([\s_.-].*)?"
)
# Below this many rows, values tell nothing.
MIN_ROWS = 8
# A name that stands for so many rows or more is a class; with fewer it cannot be decoded.
MAX_REPEATS_OF_A_NAME = 20
MIN_ROWS_OF_COUNTS = 20
VARIANCE_RATIO = 1e4
MIN_SHARE_OF_FAMILY = 0.8
ROUNDING = 1e-6
N_SHOWN = 5


def tidy(values: np.ndarray) -> np.ndarray:
    """Return labels or names in which what differs by accident is equal.

    Text is stripped and composed (Unicode NFC); numbers that differ by rounding become equal;
    dates become text.
    """
    if values.dtype.kind == "S":
        values = np.array([value.decode("utf-8", "replace") for value in values.ravel()])
    if values.dtype.kind == "M":
        return values.astype(str)
    if values.dtype.kind in "UT":
        # Line ends and null characters of fixed-width text go with the blanks.
        return np.array(
            [unicodedata.normalize("NFC", str(value)).strip(" \t\r\n\0\xa0") for value in values]
        )
    if values.dtype.kind == "f":
        return _without_rounding(values.astype(np.float64))
    return values


def _without_rounding(values: np.ndarray) -> np.ndarray:
    distinct = np.unique(values[np.isfinite(values)])
    if len(distinct) < 2:
        return values
    close = np.diff(distinct) <= ROUNDING * np.abs(distinct[1:])
    # Of continuous values neighbours may be as close by chance; classes are far from each other.
    if not close.any() or len(distinct) > len(values) / 2:
        return values
    first = distinct[np.concatenate([[True], ~close])]
    place = np.searchsorted(first, values, side="right") - 1
    return np.where(np.isfinite(values), first[place.clip(0)], values)


def is_counter(name: str) -> bool:
    """Say whether a name is that of a number that counts trials or repetitions.

    >>> is_counter("repetition"), is_counter("category")
    (True, False)
    """
    return _COUNTERS.fullmatch(name.strip().lower()) is not None


def names_rows(name: str) -> bool:
    """Return whether an array of this name describes samples, rather than neurons or times.

    >>> names_rows("choice"), names_rows("region"), names_rows("bins")
    (True, False, False)
    """
    plain = name.strip().lower()
    if re.search(r"region|area|neur|unit|cell|voxel|channel|time|depth|day|date", plain):
        return False
    return any(pattern.fullmatch(plain) for pattern in (_STIMULI, _CLASSES, _COUNTERS))


def may_name_rows(name: str) -> bool:
    """Say whether an identifier of this name can name stimuli: a date or a session does not."""
    plain = name.strip().lower()
    return bool(_STIMULI.fullmatch(plain)) or not _CLASSES.fullmatch(plain)


def is_identifier(name: str, values: np.ndarray) -> bool:
    """Say whether values name stimuli or rows, rather than the classes of a task variable.

    Values that are each there once do, unless they are decimals. Of a name as `image` or
    `stimulus_id`, values do that are each there a few times, and are many.
    """
    if values.dtype.kind not in "USTiu":
        return False
    n_distinct = len(np.unique(values))
    if n_distinct == len(values):
        return True
    plain = name.strip().lower()
    called = _STIMULI.fullmatch(plain) or _IDENTIFIERS.fullmatch(plain)
    return bool(called) and n_distinct > max(MAX_REPEATS_OF_A_NAME, len(values) / 50)


def best_names(candidates: Sequence[str]) -> str | None:
    """Return the one of several identifiers that names stimuli, or None if that is not plain."""
    stimuli = [name for name in candidates if _STIMULI.fullmatch(name.strip().lower())]
    chosen = stimuli or list(candidates)
    by_id = [name for name in chosen if name.strip().lower() in ("stimulus_id", "image_id")]
    if len(chosen) != 1 and by_id:
        return by_id[0]
    return chosen[0] if len(chosen) == 1 else None


def is_rising(values: np.ndarray) -> bool:
    """Say whether values count up or down in equal steps, as a row number does."""
    steps = np.diff(values.astype(np.float64))
    return len(values) >= MIN_ROWS and bool((steps == steps[0]).all() and steps[0] != 0)


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
        If it cannot be told whether a column of numbers is a neuron.
    """
    roles = {name: given.get(name) or _role(name, values) for name, values in columns.items()}
    families = _families(roles)
    for name, role in roles.items():
        is_one_of_many = families.get(name, 0) > 2 and columns[name].dtype.kind in "fiu"
        if name not in given and role != NEURON and is_one_of_many:
            roles[name] = NEURON
    _require_rows_of_samples(columns, given)
    numeric = [name for name, role in roles.items() if role == NEURON]
    if all(role != NEURON for role in roles.values()):
        # Nothing but spikes that are there or not.
        flags = [n for n, v in columns.items() if v.dtype.kind == "b" and n not in given]
        roles |= dict.fromkeys(flags, NEURON)
        return roles
    asked = [name for name in numeric if name not in given]
    _ask_about_odd(columns, asked, numeric)
    _ask_about_outsiders(asked, families)
    undecided = [name for name, role in roles.items() if role == UNDECIDED]
    if undecided:
        _ask(undecided[0], "its name is not that of a neuron, and its values are those of no class")
    return roles


def _require_rows_of_samples(columns: Mapping[str, np.ndarray], given: Mapping[str, str]) -> None:
    """Refuse a table whose rows are neurons, or a neuron at a time."""
    for name, values in columns.items():
        if name in given or values.dtype.kind not in "UTiu" or meaning(name) != "neuron":
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


def _role(name: str, values: np.ndarray) -> str:
    """Say what a column is by its name and kind of values alone."""
    plain = name.strip().lower()
    if not plain or re.fullmatch(r"unnamed: ?\d+", plain):
        if values.dtype.kind in "iuf" and (is_rising(values) or _is_counting(values)):
            return INDEX
        return NAME if values.dtype.kind in "UTiu" and _each_once(values) else UNDECIDED
    if values.dtype.kind == "b":
        return LABEL
    if values.dtype.kind in "UT":
        return LABEL
    if plain in ("index", "idx", "row", "level_0") and _is_counting(values):
        return INDEX
    if is_counter(plain):
        return COUNTER
    if _STIMULI.fullmatch(plain) or _IDENTIFIERS.fullmatch(plain) or _IDENTIFIERS.fullmatch(name):
        return LABEL if values.dtype.kind in "iu" or not _each_once(values) else UNDECIDED
    if _CLASSES.fullmatch(plain):
        return LABEL if not _each_once(values) or values.dtype.kind in "iu" else UNDECIDED
    return NEURON


def _each_once(values: np.ndarray) -> bool:
    return len(np.unique(values)) == len(values)


def _is_counting(values: np.ndarray) -> bool:
    first = values[0] if len(values) else np.nan
    return first in (0, 1) and bool((values == first + np.arange(len(values))).all())


def _families(names: Mapping[str, str]) -> dict[str, int]:
    """Count the columns that are named alike but for a number at the end."""
    stems = {name: re.sub(r"[\s_.-]*\d+$", "", name) for name in names}
    counts: dict[str, int] = {}
    for stem in stems.values():
        counts[stem] = counts.get(stem, 0) + 1
    return {name: counts[stem] for name, stem in stems.items() if stem != name}


def _ask_about_outsiders(neurons: Sequence[str], families: Mapping[str, int]) -> None:
    """Raise UnusableError for a few names among many that differ in their number only."""
    members = [name for name in neurons if families.get(name, 0) > 2]
    outsiders = [name for name in neurons if name not in members]
    if outsiders and len(members) >= MIN_SHARE_OF_FAMILY * len(neurons):
        shown = ", ".join(map(repr, members[:2]))
        _ask(outsiders[0], f"its name is not like those of the others ({shown}, …)")


def _ask_about_odd(
    columns: Mapping[str, np.ndarray], asked: Sequence[str], neurons: Sequence[str]
) -> None:
    """Raise UnusableError if a column is unlike the other neurons."""
    matrix = np.column_stack([columns[name].astype(np.float64) for name in neurons])
    for place, reason in odd_columns(matrix):
        if neurons[place] in asked:
            _ask(neurons[place], reason)


def _ask(name: str, reason: str) -> None:
    raise UnusableError(
        f"cannot tell whether column {name!r} is a neuron: {reason}; say it in the entry, as "
        f"columns: {{{name or chr(39) * 2}: {IGNORED}}}, or {NEURON}, {LABEL} or {NAME}"
    )


def odd_columns(matrix: np.ndarray) -> list[tuple[int, str]]:
    """List columns of (n_samples, n_neurons) that look unlike the other neurons, and why.

    Constant columns and missing values are no matter of this function.
    """
    n_rows, n_columns = matrix.shape
    if n_rows < MIN_ROWS or n_columns < 2:
        return []
    some = np.linspace(0, n_rows - 1, min(n_rows, 500)).astype(int)
    sample = np.asarray(matrix[some], dtype=np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        whole = (sample == np.round(sample)).all(axis=0)
        varies = sample.min(axis=0) != sample.max(axis=0)
        variance = sample.var(axis=0)
    found: dict[int, str] = {}
    decimals = (~whole & np.isfinite(sample).all(axis=0)).sum()
    whole_ones = np.flatnonzero(whole & varies).tolist()
    rising = [column for column in whole_ones if is_rising(np.asarray(matrix[:, column]))]
    if len(rising) < n_columns / 2:
        found |= dict.fromkeys(rising, "it counts the rows in equal steps")
    if len(whole_ones) < decimals:
        reason = "it holds whole numbers and the others hold decimals"
        found |= {column: found.get(column, reason) for column in whole_ones}
    if n_rows >= MIN_ROWS_OF_COUNTS and len(whole_ones) == n_columns - (~varies).sum():
        once = [column for column in whole_ones if _each_once(np.asarray(matrix[:, column]))]
        if len(once) < n_columns / 3:
            reason = "it holds another whole number in each row, and the others repeat theirs"
            found |= {column: found.get(column, reason) for column in once}
    known = variance[np.isfinite(variance) & (variance > 0)]
    if len(known) > 2:
        high = variance > VARIANCE_RATIO * np.median(known)
        rest = variance[~high & np.isfinite(variance)]
        few = high.sum() < n_columns / 3 and rest.size
        for column in np.flatnonzero(high).tolist() if few else ():
            if variance[column] > 100 * rest.max():
                ratio = variance[column] / np.median(known)
                found.setdefault(column, f"its variance is {ratio:.0e} times that of the others")
    return [(column, found[column]) for column in sorted(found)]
