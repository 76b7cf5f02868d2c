"""Steps by hand beside steps by automatic differentiation."""

import torch


def compare_step(stack, each, batch, progress, ours, theirs, tolerance):
    """Take a step by hand, and the same by automatic differentiation, and compare losses and gradients."""
    loss = stack.step(batch, ours, progress, 0.7, 0.9)
    alone = [batch.take(torch.tensor([k])) for k in range(len(each))]
    expected = [one.step(alone[k], [theirs[k]], progress, 0.7, 0.9) for k, one in enumerate(each)]
    torch.testing.assert_close(loss, torch.cat(expected), rtol=tolerance, atol=tolerance)
    linears = zip(stack.layers, stack.weights.gradients, strict=False)
    for layer, gradients in linears:
        for place, linear in enumerate(layer.linears):
            twin = dict(zip(stack.models[place].modules(), each[place].model.modules(), strict=True))[linear]
            weight, bias = layer.views(gradients, place)
            size = float(twin.weight.grad.abs().max()) + 1e-3
            close(weight.reshape(twin.weight.T.shape).T, twin.weight.grad, tolerance * size)
            close(bias.reshape(-1), twin.bias.grad, tolerance * size)
    for place, one in enumerate(each):
        for parameter, gradients in zip(one.model.likelihood.parameters(), stack.gradients, strict=True):
            close(gradients[place], parameter.grad, tolerance * (float(parameter.grad.abs().sum()) + 1))


def compare_weights(models, twins, tolerance):
    for model, twin in zip(models, twins, strict=True):
        for mine, other in zip(model.state_dict().values(), twin.state_dict().values(), strict=True):
            close(mine, other, tolerance)


def close(ours, theirs, tolerance):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance)
