"""Held-out regression without penalty whose training samples are hardly more than the units."""

import math
from collections.abc import Mapping
from typing import Any

MEASURE = "linreg_cv"
# Units per training sample up to which intervals were simulated, and the training samples' share.
LARGEST_WIDTH, TRAINING_SHARE = 0.75, 0.8


def is_nearly_saturated(measure: str, scored: Mapping[Any, Any]) -> bool:
    """Return whether a score varies more over samples than its replicates tell.

    Parameters
    ----------
    measure : str
        Its id.
    scored : mapping
        A row of `inference.score_model`.
    """
    most = LARGEST_WIDTH * TRAINING_SHARE * scored.get("n_samples", math.inf)
    return measure == MEASURE and bool(scored.get("n_dimensions", 0) > most)
