"""Which principal components of the reference does a linear map of Y recover?"""

import torch
from torch import Tensor

from scorebounds.measures.components import PrincipalComponents
from scorebounds.measures.pair import Pair


def captured_variance(pair: Pair, components: PrincipalComponents) -> Tensor:
    """Return the R² of each PC of X under least squares from Y, ‖Qᵀuᵢ‖².

    Parameters
    ----------
    pair : Pair
        Y against a reference that is given in PC coordinates, `components.scores`.
    components : PrincipalComponents

    Returns
    -------
    Tensor, shape (..., n_components)
        In [0, 1]; not differentiable. Cloos et al. 2025, section 3.
    """
    with torch.no_grad():
        return (pair.explained.detach() / components.eigenvalues).clamp(max=1)
