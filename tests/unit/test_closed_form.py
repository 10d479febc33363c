import pytest
import torch

from scorebounds.measures.closed_form import centre, squared_rows, unit_rows
from scorebounds.measures.dissimilarity import standard_rows

FORMS = {
    "centre": (centre, lambda y: y - y.mean(-2, keepdim=True)),
    "squared rows": (squared_rows, lambda y: (y**2).sum(-1)),
    "unit rows": (
        unit_rows,
        lambda y: torch.nn.functional.normalize(y - y.mean(-1, keepdim=True), dim=-1),
    ),
}


def batch():
    return torch.randn(2, 7, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("name", FORMS)
def test_a_closed_form_equals_its_definition(name):
    form, definition = FORMS[name]
    torch.testing.assert_close(form(batch()), definition(batch()), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", FORMS)
def test_its_gradient_equals_finite_differences(name):
    assert torch.autograd.gradcheck(FORMS[name][0], (batch().requires_grad_(),))


def test_a_second_derivative_of_centring_is_possible():
    y = batch().requires_grad_()
    assert torch.autograd.gradgradcheck(lambda values: centre(values).pow(3), (y,))


@pytest.mark.parametrize("n_neurons", [2, 1000])
@pytest.mark.parametrize("rounding", [0, 2e-16])
def test_a_row_without_spread_is_refused(n_neurons, rounding):
    y = torch.randn(4, n_neurons, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    y[2] = 0.1
    y[2, 0] *= 1 + rounding
    with pytest.raises(ValueError, match="row 2 has the same value"):
        standard_rows(y, "y")


def test_a_row_of_little_spread_is_scaled_to_length_one():
    y = torch.full((3, 50), 0.1, dtype=torch.float64)
    y[:, 0] += 1e-12
    torch.testing.assert_close(standard_rows(y, "y").norm(dim=-1), torch.ones(3).double())
