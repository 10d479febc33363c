"""Adam on a batch from which rows can be taken away."""

import torch
from torch import Tensor
from torch.optim.adam import adam

BETAS, EPSILON = (0.9, 0.999), 1e-8


class Adam:
    """The updates of `torch.optim.Adam`, for one tensor.

    Through PyTorch's functional form: the first `torch.optim.Adam` of a process imports PyTorch's
    compiler, which takes longer than to optimise a small dataset.

    Parameters
    ----------
    like : Tensor, shape (n_rows, ...)
        Has the shape, type and device of what is to be updated.
    learning_rate : float
    maximize : bool
        Whether to raise the objective instead of lowering it.
    """

    def __init__(self, like: Tensor, learning_rate: float, *, maximize: bool = False):
        self.mean, self.square = torch.zeros_like(like), torch.zeros_like(like)
        self.n_steps = torch.zeros((), dtype=torch.float32, device=like.device)
        self.learning_rate, self.maximize = learning_rate, maximize

    def step(self, values: Tensor, slope: Tensor) -> None:
        """Update `values` in place, by the gradient of the objective."""
        with torch.no_grad():
            adam(
                [values],
                # The fused form reads memory in order, whatever the strides.
                [slope.contiguous()],
                [self.mean],
                [self.square],
                [],
                [self.n_steps],
                lr=self.learning_rate,
                beta1=BETAS[0],
                beta2=BETAS[1],
                eps=EPSILON,
                weight_decay=0.0,
                amsgrad=False,
                maximize=self.maximize,
                fused=True,
            )

    def keep(self, rows: Tensor | list[int]) -> None:
        """Keep only these rows of the batch."""
        self.mean, self.square = self.mean[rows], self.square[rows]
