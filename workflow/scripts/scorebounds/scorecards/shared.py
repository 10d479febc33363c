"""Which components of a recording its linear CKA with a model comes from."""

import numpy as np
import torch

from scorebounds.measures.closed_form import centre
from scorebounds.measures.components import PrincipalComponents


def shares_of_cka(components: PrincipalComponents, model: torch.Tensor) -> np.ndarray:
    """Return the share of the linear CKA with a model that each component carries.

    Parameters
    ----------
    components : PrincipalComponents
        With the eigenvectors uᵢ and eigenvalues λᵢ of XXᵀ.
    model : Tensor, shape (n_samples, n_y)

    Returns
    -------
    ndarray, shape (n_components,)
        λᵢ ‖Yᵀuᵢ‖² as a share of its sum; Kornblith et al. 2019, section 5.
    """
    projected = components.eigenvectors.T @ centre(model.to(components.scores.dtype))
    carried = components.eigenvalues * projected.square().sum(1)
    shares: np.ndarray = (carried / carried.sum()).cpu().numpy()
    return shares
