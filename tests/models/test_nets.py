"""Nets: what they make of inputs changes as automatic differentiation says."""

import pytest
import torch
from torch import nn

from narrows.models.nets import ACTIVATIONS, Own, dense, with_changes

NETS = {
    **{name: dense([3, 7, 6, 5], name, shortcut=True) for name in ACTIVATIONS},
    "one layer": dense([3, 5], "silu", shortcut=True),
    "own": Own(nn.Sequential(nn.Linear(3, 8), nn.LayerNorm(8), nn.Softplus(), nn.Linear(8, 5))),
    "own within": nn.Sequential(nn.Linear(3, 8), nn.PReLU(8), nn.Linear(8, 5), nn.Softmax(-1)),
}


@pytest.mark.parametrize("net", NETS.values(), ids=NETS)
@torch.no_grad()
def test_changes_along_directions_are_the_jacobians(net):
    net, generator = net.double(), torch.Generator().manual_seed(0)
    x = torch.randn(4, 3, dtype=torch.float64, generator=generator)
    along = torch.randn(2, 4, 3, dtype=torch.float64, generator=generator)
    y, changes = with_changes(net, x, along)
    torch.testing.assert_close(y, net(x))
    for row in range(4):
        jacobian = torch.autograd.functional.jacobian(lambda one: net(one[None])[0], x[row])
        torch.testing.assert_close(changes[:, row], along[:, row] @ jacobian.T)
    alike = with_changes(net, x, along[:, :1])[1].expand(2, 4, 5)  # the same directions for all
    torch.testing.assert_close(alike, with_changes(net, x, along[:, :1].expand_as(along))[1])
