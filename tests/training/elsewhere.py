"""A second device for machines that have none: its tensors are the CPU's, but do not mix with the CPU's own.

As on a GPU, an operation on tensors of both fails, and what is made without a device is made on the CPU.
"""

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "elsewhere"

aten = torch.ops.aten
ACROSS = {aten.copy_.default, aten._to_copy.default}
"""What may have tensors of both."""

INDEXED = {aten.index.Tensor}
"""What may have its first tensor elsewhere and places on the CPU."""


def device():
    """Return it, known to torch from the first call on."""
    try:
        return torch.device(NAME, 0)
    except RuntimeError:
        _setup_privateuseone_for_python_backend(NAME)
        return torch.device(NAME, 0)


class There(torch.Tensor):
    """A tensor elsewhere, which the CPU keeps for it."""

    @staticmethod
    def __new__(cls, kept):
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            kept.size(),
            strides=kept.stride(),
            storage_offset=kept.storage_offset(),
            dtype=kept.dtype,
            device=torch.device(NAME, 0),
        )
        made.kept = kept
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    def tolist(self):
        """Return its numbers, for which it comes here by itself, as a GPU's tensor does."""
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return done(operation, args, kwargs or {})


class Elsewhere(TorchDispatchMode):
    """Inside it, tensors can be made there."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return done(operation, args, kwargs or {})


class Drawn(TorchFunctionMode):
    """Inside it, generators whose ``away`` says that they are there, and no others, draw there."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if kwargs.get("generator") is not None:
            tensor = next((a for a in args if isinstance(a, torch.Tensor)), None)
            where = kwargs.get("device") or ("cpu" if tensor is None else tensor.device)
            if (torch.device(where).type == NAME) != getattr(kwargs["generator"], "away", False):
                raise RuntimeError(f"{function} has a generator of another device")
        return function(*args, **kwargs)


def done(operation, args, kwargs):
    """Return what ``operation`` does, where its tensors are."""
    tensors = []
    tree_map(lambda a: tensors.append(a) if isinstance(a, torch.Tensor) else None, (args, kwargs))
    wanted = kwargs.get("device")
    there = [isinstance(t, There) for t in tensors]
    here = [t for t, away in zip(tensors, there, strict=True) if not away and t.dim()]
    if any(there) and here and operation not in ACROSS and not (operation in INDEXED and there[0]):
        raise RuntimeError(f"{operation} has tensors on {NAME} and on the CPU")
    known = {id(t.kept): t for t, away in zip(tensors, there, strict=True) if away}
    if wanted is not None:
        kwargs = kwargs | {"device": "cpu"}
    args_, kwargs_ = tree_map(lambda a: a.kept if isinstance(a, There) else a, (args, kwargs))
    found = operation(*args_, **kwargs_)
    away = any(there) if wanted is None else torch.device(wanted).type == NAME
    if operation is aten.copy_.default:
        away = there[0]

    def back(value):
        if not isinstance(value, torch.Tensor) or not away:
            return value
        return known.get(id(value)) if id(value) in known else There(value)

    return tree_map(back, found)
