"""Module and Parameter: a network is an object with parameters, and at the same time a tree of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from ..core.errors import ArgumentError, DTypeError, MathError, MissingMethod, ShapeError, describe
from ..core.node import TRACED, TRANSFORMED, finished
from ..core.tensor import Tensor, as_tensor
from ..core.tree import kept_attributes

M = TypeVar("M", bound="Module")


class Parameter(Tensor):
    """A Tensor that a network learns: a leaf that requires a gradient.

    Arguments: an array of a floating dtype (copied); `requires_grad=False` for one that is held fixed.

    >>> import tinygrad_math as tm
    >>> tm.nn.Parameter([1.0, 2.0]).requires_grad
    True
    """

    __slots__ = ("_learns",)
    _learns: bool

    def __init__(self, data: Any, name: str | None = None, dtype: Any = None, *, requires_grad: bool = True) -> None:
        if isinstance(data, Tensor):
            data._leave("a Parameter made of it", "Use the tensor itself in its place.")
            data = data.detach()
        super().__init__(data, requires_grad, name, dtype)

    # -- in a tree ----------------------------------------------------------------------------------
    def _tree_leaf(self) -> tuple[Any, ...]:
        """What takes this place is a parameter too, and learns if this one does."""
        return type(self), self.learns

    @property
    def learns(self) -> bool:
        """Whether a gradient is required: also of what stands for the parameter while a function is transformed."""
        if self._is_leaf_of_user():
            return self.requires_grad
        return getattr(self, "_learns", True)

    def _is_leaf_of_user(self) -> bool:
        return self.node.op is None and not self.node.live & (TRACED | TRANSFORMED)

    @classmethod
    def _from_tree(cls, value: Any, learns: bool, values: bool) -> Any:
        """`value` in the role of a parameter; of derivatives (not `values`) in that of one that learns nothing.

        Inside a transform it stays attached; what a finished transform left behind becomes a leaf.
        """
        if isinstance(value, Parameter) and value._is_leaf_of_user() and value.requires_grad:
            return value
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fc":
            value = Tensor(value)
        if not isinstance(value, Tensor):
            return value
        p: Parameter = object.__new__(cls)
        p.node, p._learns = value.node, learns and values
        if values and value.node.live and finished(value.node):
            p.node = value.detach().node
        if p._learns and not p.node.live and value.dtype.kind in "fc":
            p.node = value.detach().node
            p.requires_grad = True
        return p


def _holds_parameters(value: Any) -> bool:
    if isinstance(value, (Tensor, Module)):
        return True
    if isinstance(value, (list, tuple)):
        return any(map(_holds_parameters, value))
    return isinstance(value, dict) and any(map(_holds_parameters, value.values()))


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
    tree_ties = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise MissingMethod(f"{type(self).__name__} does not define forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        before = self.__dict__.get(name)
        replaced = isinstance(value, Tensor) and not isinstance(value, Parameter)
        if replaced and isinstance(before, Parameter) and before._is_leaf_of_user():
            raise ArgumentError(
                f"{name} is a Parameter, and a Tensor in its place would be neither learned nor saved; write into it, "
                f"`with tm.no_grad(): module.{name}[...] = x`, or assign a Parameter"
            )
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
        kept = kept_attributes(self)
        known = kept.pop("_tree_keys", ())
        keys = tuple([k for k, v in kept.items() if k in known or _holds_parameters(v)])
        rest = tuple([(k, v) for k, v in kept.items() if k not in keys])
        return keys, tuple([kept[k] for k in keys]), rest

    @classmethod
    def tree_unflatten(cls: type[M], keys: tuple[str, ...], children: list[Any], extra: Any) -> M:
        module = object.__new__(cls)
        module.__dict__.update(extra)
        module.__dict__.update(zip(keys, children, strict=True))
        module.__dict__["_tree_keys"] = keys  # whatever stands there now: None, a shape
        return module

    def _tree_complete(self) -> None:
        """The outermost module of a tree tells its parameters their paths; aliases inside a transform need none."""
        for name, p in self.named_parameters():
            if p.node.live & (TRACED | TRANSFORMED):
                return
            if p.name is None:  # a new one
                p.name = name

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
        state = {}
        for name, p in self.named_parameters():
            p._leave("state_dict()", "Use the parameters themselves.")
            state[name] = np.array(p.node.data)
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put arrays by path into the parameters, in the parameters' dtypes.

        Raises before anything changes: ArgumentError or ShapeError if names or shapes differ, DTypeError for what is no
        array of numbers, or complex where the parameter is real.
        """
        mine = dict(self.named_parameters())
        if mine.keys() != state.keys():
            raise ArgumentError(
                f"state_dict: missing {sorted(mine.keys() - state.keys())}, "
                f"unknown {sorted(state.keys() - mine.keys())}"
            )
        arrays = {name: self._fitting(name, p, state[name]) for name, p in mine.items()}
        for name, p in mine.items():
            p._replace(arrays[name])

    def _fitting(self, name: str, p: Parameter, given: Any) -> np.ndarray[Any, Any]:
        """A copy of an array for one parameter, or the named error."""
        p._leave("load_state_dict()", "Load before the function is differentiated.")
        try:
            array = np.asarray(as_tensor(given).detach().node.data)
        except MathError as error:
            raise DTypeError(f"state_dict: {name}: {error}") from error
        if array.shape != p.shape:
            raise ShapeError(f"state_dict: {name} has shape {array.shape}, the parameter {p.shape}")
        if array.dtype.kind == "c" and p.dtype.kind != "c":
            raise DTypeError(
                f"state_dict: {name} is complex, the parameter {describe(p)}: an imaginary part would be lost"
            )
        return array.astype(p.dtype)

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
