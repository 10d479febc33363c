"""What names of columns and arrays say: stimuli, identifiers, classes, counters, quantities."""

import re
from collections.abc import Sequence

import numpy as np

# Words of names, joined by `_` and in lower case: `trialNr` is `trial_nr`.
_NUMBER = "(id|nr|no|num|number|idx|index|count|counter)"
COUNTERS = re.compile(rf"(repetition|repeat|rep|trial|trl|presentation)s?(_{_NUMBER}s?)?")
STIMULI = re.compile(
    r"(stimul(us|i)|stims?|images?|imgs?|pictures?|pics?|files?|filenames?|paths?|sentences?|items?)"
    r"(_?(id|nr|name|number|num|no|idx|index|hash|path|file)s?)?"
    r"|(\w+_)?(file|image|img|stimulus|stim)_?(name|id|path)s?|names?|uuid|hash|md5|sha1|sha256"
)
IDENTIFIERS = re.compile(
    r"(.*_)?(id|ids|nr|num|index|idx|uuid|guid|hash|number|no|row|rows)"
    r"|(stim|img|image|item|trial|sample|session|subject|subj|file|row)id"
)
CLASSES = re.compile(
    r"(.*_)?(category|categories|class|classes|cls|label|labels|condition|cond|block|session|run|"
    r"subject|subj|participant|animal|monkey|mouse|rat|target|choice|context|side|direction|"
    r"orientation|object|texture|family|fold|split|cue|outcome|reward|correct|hit|error|flag|valid|"
    r"success|region|area|group|task|coherence|contrast|date|day|month|year|epoch|phase|time|"
    r"timestamp|rt|sex|gender|cluster|batch)(_.*)?"
)
# Quantities that are measured once per row, which are no neurons either.
QUANTITIES = re.compile(
    r"(.*_)?(onset|offset|duration|latency|delay|timing|age|weight|position|pos|speed|velocity|"
    r"angle|frequency|freq|size|intensity|amplitude|dose|score|rating|confidence|accuracy|acc|"
    r"total|temperature|luminance|reaction|depth|pupil|eccentricity)(_.*)?"
)
# A name that stands for so many rows or more is a class; with fewer it cannot be decoded.
MAX_REPEATS_OF_A_NAME = 20


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
    return COUNTERS.fullmatch(words(name)) is not None


def is_name_of_names(name: str) -> bool:
    """Say whether a column of this name holds names or numbers of something, whose text counts.

    >>> is_name_of_names("stimulus_id"), is_name_of_names("rate")
    (True, False)
    """
    plain = words(name)
    return not plain or any(pattern.fullmatch(plain) for pattern in (STIMULI, IDENTIFIERS))


def is_no_neuron(name: str) -> bool:
    """Say whether a name alone tells that a column is no neuron.

    >>> is_no_neuron("Contrast (%)"), is_no_neuron("unit 3")
    (True, False)
    """
    others = (CLASSES, QUANTITIES, COUNTERS)
    return is_name_of_names(name) or any(other.fullmatch(words(name)) for other in others)


def names_rows(name: str) -> bool:
    """Return whether an array of this name describes samples, rather than neurons or times.

    >>> names_rows("choice"), names_rows("region"), names_rows("bins")
    (True, False, False)
    """
    plain = words(name)
    if re.search(r"region|area|neur|unit|cell|voxel|channel|time|depth|day|date", plain):
        return False
    return any(pattern.fullmatch(plain) for pattern in (STIMULI, CLASSES, COUNTERS))


def may_name_rows(name: str) -> bool:
    """Say whether an identifier of this name can name stimuli: a date or a session does not."""
    plain = words(name)
    return bool(STIMULI.fullmatch(plain)) or not CLASSES.fullmatch(plain)


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
    called = STIMULI.fullmatch(plain) or IDENTIFIERS.fullmatch(plain)
    return bool(called) and n_distinct > max(MAX_REPEATS_OF_A_NAME, len(values) / 50)


def best_names(candidates: Sequence[str]) -> str | None:
    """Return the one of several identifiers that names stimuli, or None if that is not plain."""
    stimuli = [name for name in candidates if STIMULI.fullmatch(words(name))]
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
