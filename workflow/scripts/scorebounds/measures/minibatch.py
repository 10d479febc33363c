"""CKA of activations that are never stored: averages over minibatches (Nguyen et al. 2021)."""

import torch
from torch import Tensor

from scorebounds.measures.base import at_most_one
from scorebounds.measures.inputs import require_pair, require_samples
from scorebounds.measures.kernels import MIN_SAMPLES_DEBIASED, unbiased_hsic
from scorebounds.measures.pair import Pair, Reference
from scorebounds.measures.precision import to_working_precision


class MinibatchCKA:
    """Linear CKA from minibatches of samples, of which one is in memory at a time.

    The unbiased HSIC of Song et al. 2012, eq. 5, of each minibatch is averaged, for X with Y and
    for either side with itself; the score is their ratio. In expectation the averages do not
    depend on the size of the minibatches, and one minibatch of all samples gives `cka_debiased`.
    Nguyen et al. 2021, Do Wide and Deep Networks Learn the Same Things?, arXiv:2010.15327, eq. 2
    and 3. The samples have to be shuffled before they are divided: samples of neighbouring
    minibatches are never compared.

    Examples
    --------
    >>> import torch
    >>> x = torch.randn(64, 10, generator=torch.manual_seed(0))
    >>> cka = MinibatchCKA()
    >>> for rows in torch.arange(64).split(16):
    ...     cka.update(x[rows], 2 * x[rows])
    >>> round(cka.score(), 6)
    1.0
    """

    def __init__(self) -> None:
        self._sums = torch.zeros(3, dtype=torch.float64)
        self.n_batches = 0

    def update(self, x: Tensor, y: Tensor) -> None:
        """Add a minibatch.

        Parameters
        ----------
        x, y : Tensor, shapes (n_samples, n_x) and (n_samples, n_y)
            Row i of both belongs to the same sample. At least 4 samples.

        Raises
        ------
        ValueError
            As `Measure.score`.
        """
        first, second = (to_working_precision(side).detach().double() for side in (x, y))
        require_pair(first, second)
        require_samples(len(first), MIN_SAMPLES_DEBIASED, "a minibatch of CKA")
        pair = Pair(Reference(first), second)
        norms_x, norms_y = pair.reference.squared_rows, pair.squared_rows
        size = len(first) * (len(first) - 3)
        terms = (
            unbiased_hsic(pair.cross.square().sum(), norms_x, norms_y),
            unbiased_hsic(pair.reference.gram.square().sum(), norms_x, norms_x),
            unbiased_hsic(pair.gram.square().sum(), norms_y, norms_y),
        )
        self._sums += torch.stack(terms).cpu() / size
        self.n_batches += 1

    def score(self) -> float:
        """Return the CKA of all minibatches so far, in [−1, 1].

        Raises
        ------
        ValueError
            Without minibatches, or where all samples of a side are equally similar.
        """
        if not self.n_batches:
            raise ValueError("expected at least one minibatch, got none: call update first")
        between, of_x, of_y = self._sums
        for name, of_itself in (("x", of_x), ("y", of_y)):
            if of_itself <= 0:
                raise ValueError(
                    f"minibatch CKA is not defined: in {name} all samples are equally similar"
                )
        return at_most_one(between / (of_x * of_y).sqrt()).item()
