"""A reference and a model whose conditions are matched."""

from dataclasses import dataclass

import numpy as np

from scorebounds.scorecards.rows import PERMUTED


@dataclass(frozen=True)
class Matched:
    """A reference and a model with matched conditions.

    Attributes
    ----------
    reference : ndarray, shape (n_times, n_rows, n_x)
        One time where there is no axis of time.
    model : ndarray, shape (n_times, n_conditions, n_y)
        The conditions of the model that the reference has.
    condition : ndarray of int, shape (n_rows,)
        Which of the model's conditions goes with each row of the reference: several rows are
        trials of one condition.
    rows : ndarray of int, shape (n_rows,), or None
        Which rows of the recording take part; None for all of them.
    is_averaged : bool
        Whether the reference was averaged over time.
    notes : tuple of str
        What a reader of the score has to know, a sentence each.
    groups : ndarray of int, shape (n_conditions,), or None
        Groups of conditions that are held out whole (`grouping.with_groups`).
    of_components : bool
        Whether the reference holds principal components instead of neurons.
    subjects : ndarray of int, shape (n_x,), or None
        Subject of each neuron of the reference (`grouping.with_subjects`).
    rows_are : str
        `condition`, `time`, or empty where it is unknown.
    exchange : str
        `permutations` of the rows, `circular shifts`, or `none`.
    order_note : str
        Why rows are not permuted.
    """

    reference: np.ndarray
    model: np.ndarray
    condition: np.ndarray
    rows: np.ndarray | None = None
    is_averaged: bool = False
    notes: tuple[str, ...] = ()
    groups: np.ndarray | None = None
    of_components: bool = False
    subjects: np.ndarray | None = None
    rows_are: str = ""
    exchange: str = PERMUTED
    order_note: str = ""

    @property
    def n_conditions(self) -> int:
        """Number of conditions of the model that the reference has."""
        return int(self.model.shape[1])

    @property
    def is_balanced(self) -> bool:
        """Whether the reference has as many rows of each condition."""
        return len(set(np.bincount(self.condition))) == 1

    @property
    def has_trials(self) -> bool:
        """Whether the reference has at least two rows of every condition."""
        return bool(np.bincount(self.condition).min() > 1)

    def align(self, values: np.ndarray) -> np.ndarray:
        """Bring values in the shape of the recording into that of `reference`.

        Parameters
        ----------
        values : ndarray
            As the halves of a recording: (time, row, neuron) or (row, neuron).

        Returns
        -------
        ndarray, shape (n_times, n_rows, n_x)
        """
        timed = values if values.ndim == 3 else values[None]
        if self.is_averaged:
            timed = timed.mean(axis=0, keepdims=True)
        return timed if self.rows is None else timed[:, self.rows]
