"""The two-loop recursion of L-BFGS against the matrix that it stands for."""

import torch

from scorebounds.optimization.lbfgs import CurvaturePair, descent_direction


def bfgs_matrix(pairs, scale, problem):
    """Build the inverse Hessian of one problem by the BFGS update, algorithm by definition."""
    n = pairs[0].step.shape[-1]
    identity = torch.eye(n, dtype=torch.float64)
    inverse_hessian = scale[problem] * identity
    for pair in pairs:
        step, change = pair.step[problem], pair.change[problem]
        rho = pair.inverse[problem]
        left = identity - rho * torch.outer(step, change)
        inverse_hessian = left @ inverse_hessian @ left.T + rho * torch.outer(step, step)
    return inverse_hessian


def test_direction_is_that_of_the_bfgs_matrix_of_each_problem():
    generator = torch.Generator().manual_seed(0)
    n_problems, n_coordinates = 3, 6
    pairs = []
    for _ in range(4):
        step = torch.randn(n_problems, n_coordinates, generator=generator, dtype=torch.float64)
        change = step + 0.3 * torch.randn(step.shape, generator=generator, dtype=torch.float64)
        inverse = 1 / (step * change).sum(-1, keepdim=True)
        pairs.append(CurvaturePair(step, change, inverse))
    scale = torch.tensor([[0.5], [1.0], [2.0]], dtype=torch.float64)
    gradient = torch.randn(n_problems, n_coordinates, generator=generator, dtype=torch.float64)
    direction = descent_direction(gradient, pairs, scale)
    for problem in range(n_problems):
        expected = -bfgs_matrix(pairs, scale, problem) @ gradient[problem]
        torch.testing.assert_close(direction[problem], expected)


def test_pairs_of_inverse_zero_are_ignored_and_without_pairs_the_scale_remains():
    gradient = torch.tensor([[3.0, -4.0]], dtype=torch.float64)
    scale = torch.tensor([[0.1]], dtype=torch.float64)
    ignored = CurvaturePair(gradient, 2 * gradient, torch.zeros(1, 1, dtype=torch.float64))
    torch.testing.assert_close(descent_direction(gradient, [ignored], scale), -0.1 * gradient)
    torch.testing.assert_close(descent_direction(gradient, [], scale), -0.1 * gradient)
