"""Module and Parameter: a network is an object with parameters, and at the same time a tree of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from ..core.errors import ArgumentError, MissingMethod, ShapeError
from ..core.tensor import Tensor

M = TypeVar("M", bound="Module")


class Parameter(Tensor):
    """A Tensor that a network learns: a leaf that requires a gradient.

    Arguments: an array of a floating dtype (copied); `requires_grad=False` for one that is held fixed.

    >>> import tinygrad_math as tm
    >>> tm.nn.Parameter([1.0, 2.0]).requires_grad
    True
    """

    __slots__ = ()

    def __init__(self, data: Any, name: str | None = None, dtype: Any = None, *, requires_grad: bool = True) -> None:
        if isinstance(data, Tensor):
            data._leave("a Parameter made of it", "Use the tensor itself in its place.")
            data = data.detach()
        super().__init__(data, requires_grad, name, dtype)


def _holds_parameters(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_parameters, value))
    if isinstance(value, dict):
        return any(map(_holds_parameters, value.values()))
    return isinstance(value, (Tensor, Module))


class Module:
    """The base of every layer and network. Subclasses assign parameters and modules as attributes and
    define `forward`.

    A module is a tree of its Tensors: `tm.grad(loss)(model)` returns a module of gradients, and `tree_map`,
    `hvp` and the optimisers' pure `update` take it as it is.

    >>> import tinygrad_math as tm
    >>> class Scale(tm.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = tm.nn.Parameter(2.0)
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> Scale()(3.0)
    tensor(6., requires_grad=True)
    """

    training: bool = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise MissingMethod(f"{type(self).__name__} does not define forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter) and value.name is None:
            value.name = name
        elif isinstance(value, Module):
            value._rename(name)
        object.__setattr__(self, name, value)

    def _rename(self, prefix: str) -> None:
        """Parameters carry their path in the network, for drawings and messages."""
        for name, p in self.named_parameters():
            p.name = f"{prefix}.{name}"

    # -- the tree -----------------------------------------------------------------------------------
    def tree_flatten(self) -> tuple[tuple[str, ...], tuple[Any, ...], tuple[tuple[str, Any], ...]]:
        known = self.__dict__.get("_tree_keys")
        keys = known or tuple(k for k, v in self.__dict__.items() if _holds_parameters(v))
        rest = tuple((k, v) for k, v in self.__dict__.items() if k not in keys and k != "_tree_keys")
        return keys, tuple(self.__dict__[k] for k in keys), rest

    @classmethod
    def tree_unflatten(cls: type[M], keys: tuple[str, ...], children: list[Any], extra: Any) -> M:
        module = object.__new__(cls)
        module.__dict__.update(extra)
        module.__dict__.update(zip(keys, children, strict=True))
        module.__dict__["_tree_keys"] = keys
        return module

    # -- walking over it ----------------------------------------------------------------------------
    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below it, with their paths."""
        yield prefix, self
        for path, value in _entries(self, prefix):
            if isinstance(value, Module):
                yield from value.named_modules(path)

    def modules(self) -> Iterator[Module]:
        return (m for _, m in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Each parameter once, with its path: `encoder.0.weight`."""
        seen: set[int] = set()
        for prefix, module in self.named_modules():
            for path, value in _entries(module, prefix):
                if isinstance(value, Parameter) and id(value) not in seen:
                    seen.add(id(value))
                    yield path, value

    def children(self) -> Iterator[Module]:
        """The modules directly below this one."""
        return (v for _, v in _entries(self, "") if isinstance(v, Module))

    def parameters(self) -> Iterator[Parameter]:
        return (p for _, p in self.named_parameters())

    def requires_grad_(self: M, wanted: bool = True) -> M:
        """Learn every parameter here and below, or hold them all fixed."""
        for p in self.parameters():
            p.requires_grad = wanted
        return self

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for p in self.parameters():
            p.grad = None

    def train(self: M, mode: bool = True) -> M:
        """Set training mode here and below; `eval()` is `train(False)`."""
        for m in self.modules():
            m.training = mode
        return self

    def eval(self: M) -> M:
        return self.train(False)

    # -- saving -------------------------------------------------------------------------------------
    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """A copy of every parameter's array, by path."""
        return {name: np.array(p.node.data) for name, p in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put arrays by path into the parameters. Raises before anything changes if names or shapes differ."""
        mine = dict(self.named_parameters())
        if mine.keys() != state.keys():
            raise ArgumentError(
                f"state_dict: missing {sorted(mine.keys() - state.keys())}, "
                f"unknown {sorted(state.keys() - mine.keys())}"
            )
        for name, p in mine.items():
            if np.shape(state[name]) != p.shape:
                raise ShapeError(f"state_dict: {name} has shape {np.shape(state[name])}, the parameter {p.shape}")
        for name, p in mine.items():
            p._replace(np.array(state[name], dtype=p.dtype))

    def extra_repr(self) -> str:
        return ""

    def __repr__(self) -> str:
        below = [f"({k.rpartition('.')[2]}): {v!r}" for k, v in _entries(self, "") if isinstance(v, Module)]
        if not below:
            return f"{type(self).__name__}({self.extra_repr()})"
        inner = "\n".join("  " + line for b in below for line in b.split("\n"))
        return f"{type(self).__name__}(\n{inner}\n)"


def _entries(module: Module, prefix: str) -> Iterator[tuple[str, Any]]:
    """The attributes of a module, containers opened, with their paths."""
    stack = [(f"{prefix}.{k}" if prefix else k, v) for k, v in module.__dict__.items() if k != "_tree_keys"]
    stack.reverse()
    while stack:
        path, value = stack.pop()
        if isinstance(value, (list, tuple)):
            stack += [(f"{path}.{i}", v) for i, v in reversed(list(enumerate(value)))]
        elif isinstance(value, dict):
            stack += [(f"{path}.{k}", v) for k, v in reversed(value.items())]
        else:
            yield path, value
