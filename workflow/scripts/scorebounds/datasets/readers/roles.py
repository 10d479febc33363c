"""Is a column or an array a neuron, a label, the names of the rows, or a counter of trials?

A number that names something, read as a neuron, makes independent data look alike. So what is not
plainly a neuron is taken as what its name and values say, or the user is asked.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np

from scorebounds.datasets.errors import UnusableError
from scorebounds.datasets.readers.axes import meaning
from scorebounds.datasets.readers.odd import is_rising, odd_columns, require_no_marks

NEURON, LABEL, NAME, IGNORED = "neuron", "label", "name", "ignore"
# What `columns` of an entry may say of a column.
ROLES = (NEURON, LABEL, NAME, IGNORED)
COUNTER, INDEX, UNDECIDED = "counter of trials", "index of the rows", "undecided"

# Words of names, joined by `_` and in lower case: `trialNr` is `trial_nr`.
_NUMBER = "(id|nr|no|num|number|idx|index|count|counter)"
_COUNTERS = re.compile(rf"(repetition|repeat|rep|trial|trl|presentation)s?(_{_NUMBER}s?)?")
_STIMULI = re.compile(
    r"(stimul(us|i)|stims?|images?|imgs?|pictures?|pics?|files?|filenames?|paths?|sentences?|items?)"
    r"(_?(id|nr|name|number|num|no|idx|index|hash|path|file)s?)?"
    r"|(\w+_)?(file|image|img|stimulus|stim)_?(name|id|path)s?|names?|uuid|hash|md5|sha1|sha256"
)
_IDENTIFIERS = re.compile(
    r"(.*_)?(id|ids|nr|num|index|idx|uuid|guid|hash|number|no|row|rows)"
    r"|(stim|img|image|item|trial|sample|session|subject|subj|file|row)id"
)
_CLASSES = re.compile(
    r"(.*_)?(category|categories|class|classes|cls|label|labels|condition|cond|block|session|run|"
    r"subject|subj|participant|animal|monkey|mouse|rat|target|choice|context|side|direction|"
    r"orientation|object|texture|family|fold|split|cue|outcome|reward|correct|hit|error|flag|valid|"
    r"success|region|area|group|task|coherence|contrast|date|day|month|year|epoch|phase|time|"
    r"timestamp|rt|sex|gender|cluster|batch)(_.*)?"
)
# Quantities that are measured once per row, which are no neurons either.
_QUANTITIES = re.compile(
    r"(.*_)?(onset|offset|duration|latency|delay|timing|age|weight|position|pos|speed|velocity|"
    r"angle|frequency|freq|size|intensity|amplitude|dose|score|rating|confidence|accuracy|acc|"
    r"total|temperature|luminance|reaction|depth|pupil|eccentricity)(_.*)?"
)
# A name that stands for so many rows or more is a class; with fewer it cannot be decoded.
MAX_REPEATS_OF_A_NAME = 20
MIN_SHARE_OF_FAMILY = 0.8
ROUNDING = 1e-6
# Columns that an error lists, to be copied.
MAX_LISTED = 50


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


def words(name: str) -> str:
    """Return the words of a name, or of the last part of a path, in lower case, joined by `_`.

    >>> words("Stimulus ID"), words("trialNr"), words("session/imgNo.")
    ('stimulus_id', 'trial_nr', 'img_no')
    """
    last = re.split(r"/|\.(?=[^\W\d])", name)[-1]
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+", last)
    return "_".join(part.lower() for part in parts)


def is_counter(name: str) -> bool:
    """Say whether a name is that of a number that counts trials or repetitions.

    >>> is_counter("repetition"), is_counter("category")
    (True, False)
    """
    return _COUNTERS.fullmatch(words(name)) is not None


def is_name_of_names(name: str) -> bool:
    """Say whether a column of this name holds names or numbers of something, whose text counts.

    >>> is_name_of_names("stimulus_id"), is_name_of_names("rate")
    (True, False)
    """
    plain = words(name)
    return not plain or any(pattern.fullmatch(plain) for pattern in (_STIMULI, _IDENTIFIERS))


def is_no_neuron(name: str) -> bool:
    """Say whether a name alone tells that a column is no neuron.

    >>> is_no_neuron("Contrast (%)"), is_no_neuron("unit 3")
    (True, False)
    """
    others = (_CLASSES, _QUANTITIES, _COUNTERS)
    return is_name_of_names(name) or any(other.fullmatch(words(name)) for other in others)


def names_rows(name: str) -> bool:
    """Return whether an array of this name describes samples, rather than neurons or times.

    >>> names_rows("choice"), names_rows("region"), names_rows("bins")
    (True, False, False)
    """
    plain = words(name)
    if re.search(r"region|area|neur|unit|cell|voxel|channel|time|depth|day|date", plain):
        return False
    return any(pattern.fullmatch(plain) for pattern in (_STIMULI, _CLASSES, _COUNTERS))


def may_name_rows(name: str) -> bool:
    """Say whether an identifier of this name can name stimuli: a date or a session does not."""
    plain = words(name)
    return bool(_STIMULI.fullmatch(plain)) or not _CLASSES.fullmatch(plain)


def is_identifier(name: str, values: np.ndarray) -> bool:
    """Say whether values name stimuli or rows, rather than the classes of a task variable.

    Values that are each there once do, unless they are decimals. Of a name as `image` or
    `stimulus_id`, values do that are each there a few times, and are many.
    """
    if values.dtype.kind not in "USTiu" and not is_whole(values):
        return False
    n_distinct = len(np.unique(values))
    if n_distinct == len(values):
        return True
    plain = words(name)
    called = _STIMULI.fullmatch(plain) or _IDENTIFIERS.fullmatch(plain)
    return bool(called) and n_distinct > max(MAX_REPEATS_OF_A_NAME, len(values) / 50)


def best_names(candidates: Sequence[str]) -> str | None:
    """Return the one of several identifiers that names stimuli, or None if that is not plain."""
    stimuli = [name for name in candidates if _STIMULI.fullmatch(words(name))]
    chosen = stimuli or list(candidates)
    by_id = [name for name in chosen if words(name) in ("stimulus_id", "image_id")]
    if len(chosen) != 1 and by_id:
        return by_id[0]
    return chosen[0] if len(chosen) == 1 else None


def is_whole(values: np.ndarray) -> bool:
    """Say whether numbers are whole, whatever their type."""
    if values.dtype.kind in "iu":
        return True
    return values.dtype.kind == "f" and bool((values == np.round(values)).all())


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
    if not numeric:
        # Nothing but spikes that are there or not.
        flags = [n for n, v in columns.items() if v.dtype.kind == "b" and n not in given]
        roles |= dict.fromkeys(flags, NEURON)
    asked = [name for name in numeric if name not in given]
    if numeric:
        _ask_about_odd(columns, asked, numeric)
        _ask_about_outsiders(asked, families)
    undecided = [name for name, role in roles.items() if role == UNDECIDED]
    if undecided:
        _ask(undecided, "its name is not that of a neuron, and its values are those of no class")
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
    plain = words(name)
    if not plain or re.fullmatch(r"unnamed_\d+(_\d+)?", plain):
        if values.dtype.kind in "iuf" and (is_rising(values) or _is_counting(values)):
            return INDEX
        return NAME if values.dtype.kind in "UTiu" and _each_once(values) else UNDECIDED
    if values.dtype.kind in "bUT":
        return LABEL
    if plain in ("index", "idx", "row", "level_0") and _is_counting(values):
        return INDEX
    if is_counter(name):
        return COUNTER
    if any(pattern.fullmatch(plain) for pattern in (_STIMULI, _IDENTIFIERS, _CLASSES)):
        return LABEL if is_whole(values) or not _each_once(values) else UNDECIDED
    return UNDECIDED if _QUANTITIES.fullmatch(plain) else NEURON


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


def _ask(names: Sequence[str], reason: str) -> None:
    """Raise UnusableError that asks for the role of one or several columns."""
    more = f"; nor of {len(names) - 1} other columns" if names[1:] else ""
    roles = ", ".join(f"{as_yaml(name)}: {IGNORED}" for name in names[:MAX_LISTED])
    cut = ", …" if names[MAX_LISTED:] else ""
    raise UnusableError(
        f"cannot tell whether column {names[0]!r} is a neuron: {reason}{more}; say it in the "
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
