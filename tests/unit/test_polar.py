"""The orthogonal factor by products equals that of the singular value decomposition."""

import pytest
import torch

from scorebounds.measures import singular_values
from scorebounds.measures.polar import orthogonal_factor


def matrices(*shape, least, dtype=torch.float64, seed=0):
    """Draw matrices with singular values from 1 down to `least`, on a logarithmic scale."""
    generator = torch.Generator().manual_seed(seed)
    u, _, vh = torch.linalg.svd(
        torch.randn(*shape, generator=generator, dtype=torch.float64), full_matrices=False
    )
    exponents = torch.linspace(0, 1, u.shape[-1], dtype=torch.float64)
    return (u * least**exponents @ vh).to(dtype), (u @ vh).to(dtype)


@pytest.mark.parametrize("shape", [(12, 12), (3, 20, 7), (2, 2, 7, 20), (1, 1), (40, 1)])
@pytest.mark.parametrize("least", [1.0, 1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("scale", [1e-100, 1.0, 1e100])
def test_factor_is_that_of_the_decomposition(shape, least, scale):
    matrix, expected = matrices(*shape, least=least)
    found = orthogonal_factor(matrix * scale)
    # A singular vector is known to the rounding over its singular value.
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-14 / least)
    rest = found.mT @ found if shape[-2] >= shape[-1] else found @ found.mT
    torch.testing.assert_close(rest, torch.eye(min(shape[-2:])).to(rest).expand_as(rest))
    norm = torch.linalg.matrix_norm(matrix, "nuc")
    torch.testing.assert_close((found * matrix).sum((-2, -1)), norm, rtol=1e-14, atol=0)


def test_factor_in_single_precision():
    matrix, expected = matrices(4, 30, 10, least=1e-2, dtype=torch.float32)
    torch.testing.assert_close(orthogonal_factor(matrix), expected, rtol=0, atol=1e-4)


def test_no_factor_where_singular_values_vanish():
    regular, _ = matrices(9, 5, least=0.1)
    deficient = regular.clone()
    deficient[:, 4] = deficient[:, 3]
    assert orthogonal_factor(deficient) is None
    assert orthogonal_factor(torch.zeros(4, 3, dtype=torch.float64)) is None
    assert orthogonal_factor(torch.stack([regular, deficient])) is None
    assert orthogonal_factor(torch.full((3, 3), torch.nan, dtype=torch.float64)) is None


@pytest.mark.parametrize("least", [0.1, 1e-13, 0.0])
def test_nuclear_norm_of_a_gpu_is_that_of_the_processor(least, monkeypatch):
    x, _ = matrices(2, 9, 5, least=0.5, seed=1)
    y, _ = matrices(2, 9, 5, least=max(least, 1e-300), seed=2)

    def norms_and_slopes():
        cross = (x.mT @ y).requires_grad_()
        of_y = y.clone().requires_grad_()
        norms = singular_values.nuclear_norm(cross)
        distance = singular_values.rotation_distance(x, of_y, (x.mT @ y))
        slopes = torch.autograd.grad((norms + distance).sum(), (cross, of_y))
        return norms, singular_values.nuclear_norm(cross.detach()), distance, *slopes

    expected = norms_and_slopes()
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    for ours, theirs in zip(norms_and_slopes(), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
