"""How many threads small arrays are computed with."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

# Multiplications of a product XᵀY up to which further threads wait for each other longer than they
# compute; on busy cores they multiply the CPU time.
FEW_MULTIPLICATIONS = 2e7


@contextmanager
def threads_for(x: Sequence[int], y: Sequence[int]) -> Iterator[None]:
    """Use a single thread of PyTorch for small data; the previous number is restored.

    Parameters
    ----------
    x, y : sequence of int
        Shapes, ending in the numbers of rows and neurons.
    """
    n_samples = 1
    for size in x[:-1]:
        n_samples *= size
    before = torch.get_num_threads()
    if n_samples * x[-1] * y[-1] > FEW_MULTIPLICATIONS:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
