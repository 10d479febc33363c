"""The arrays of these tests are small: a second thread costs more than it brings."""

import torch

torch.set_num_threads(1)
