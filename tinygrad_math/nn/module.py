"""Module: a network is an object with parameters, and at the same time a tree of them."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, Protocol, TypeVar

import numpy as np

from ..core.arguments import named
from ..core.at import Hook
from ..core.attributes import Attributes, kept_attributes
from ..core.elsewhere import SAY, Elsewhere
from ..core.errors import ArgumentError, MissingMethod, describe
from ..core.kinds import INERT
from ..core.node import TRACED, TRANSFORMED, clock
from ..core.notebook import bundle, preformatted, table
from ..core.tensor import Tensor
from . import torch_words as _torch_words  # noqa: F401  (what else of PyTorch's calls is taken)
from .contents import holds_parameters, parts
from .hooks import Crossing, changed_arguments
from .parameter import Parameter
from .stateful import LoadedKeys as LoadedKeys
from .stateful import Stateful

M = TypeVar("M", bound="Module")
P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class _Forward(Protocol[P, R]):
    """A module as its `forward` types it: `net(x)` takes and gives what that does."""

    _hooked: bool

    def _crossed(self, args: Any, kwargs: Any) -> Any: ...
    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R: ...


def _without_arguments(title: str) -> Any:
    def __init__(self: Any) -> None:
        pass

    __init__.__qualname__ = f"{title}.__init__"
    return __init__


class Module(Stateful):
    """The base of every layer and network. Subclasses assign parameters and modules as attributes and
    define `forward`.

    A module is a tree of its Tensors: `tm.grad(loss)(model)` returns a module of gradients, and `tree_map`,
    `hvp` and the optimisers' pure `update` take it as it is, and return a module with parameters. A parameter in two
    places is one leaf, with the whole gradient, and stays one. Buffers (`register_buffer`) belong to its state and are
    no leaves: nothing is differentiated in them.

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

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.__module__.partition(".")[0] == __name__.partition(".")[0]:  # of ours: calls are checked alike
            if cls.__init__ is object.__init__:
                cls.__init__ = _without_arguments(cls.__name__)  # type: ignore[method-assign]
            if "__init__" in cls.__dict__:
                cls.__init__ = named(cls.__dict__["__init__"])  # type: ignore[method-assign]

    def __dir__(self) -> list[str]:
        return [name for name in object.__dir__(self) if name not in SAY["nn.Module"]]

    training: bool = True
    tree_ties = True
    _hooks: Mapping[int, Callable[..., Any]] = {}  # after forward
    _before: Mapping[int, Callable[..., Any]] = {}
    _backward: Mapping[int, Callable[..., Any]] = {}
    _hooked = False  # whether there may be one of them: a call asks once

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._is_hooked():  # of a file that was written when nobody kept it
            self.__dict__["_hooked"] = True

    def _is_hooked(self) -> bool:
        return bool(self._hooks or self._before or self._backward)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise MissingMethod(f"{type(self).__name__} does not define forward(self, ...)")

    def __call__(self: _Forward[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._hooked:
            return self._crossed(args, kwargs)
        return self.forward(*args, **kwargs) if kwargs else self.forward(*args)  # type: ignore[call-arg]  # the quicker call

    def _crossed(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call with what is called before it, after it, and when the gradient has passed it."""
        if not self._is_hooked():  # they were all taken away
            self.__dict__.pop("_hooked", None)
            if self._is_hooked():  # one came meanwhile, from another thread
                self.__dict__["_hooked"] = True
        args = changed_arguments(self, args, self._before)
        crossing = Crossing(self, self._backward) if self._backward else None
        if crossing is not None:
            args = crossing.entered(args)
        y = self.forward(*args, **kwargs)
        for hook in tuple(self._hooks.values()):
            changed = hook(self, args, y)
            y = y if changed is None else changed
        return y if crossing is None else crossing.left(y)

    def __setattr__(self, name: str, value: Any) -> None:
        if type(value) in weakref.ProxyTypes:
            object.__setattr__(self, name, value)
            return
        before = self.__dict__.get(name)
        replaced = isinstance(value, Tensor) and not isinstance(value, Parameter) and not value._moving()
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

    @named
    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Keep an array that belongs to the state and is not learnt, as attribute `name`: a Tensor, or None.

        `persistent` ones are in the state_dict. Raises ArgumentError for a name that is none, or taken.
        """
        if not isinstance(name, str) or not name.isidentifier():
            raise ArgumentError(f"register_buffer: a name is an identifier, got {name!r:.40}")
        if hasattr(self, name) and name not in self._buffers:
            raise ArgumentError(f"register_buffer: {type(self).__name__} has an attribute {name!r} already")
        value = None if tensor is None else Tensor(tensor.detach() if isinstance(tensor, Tensor) else tensor)
        object.__setattr__(self, "_buffers", {**self._buffers, name: persistent})
        object.__setattr__(self, name, value)

    @named
    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Keep a Parameter, or None, as attribute `name`."""
        if param is not None and not isinstance(param, Parameter):
            raise ArgumentError(f"register_parameter: {name} is a Parameter or None, got {describe(param)}")
        setattr(self, name, param)

    @named
    def register_forward_hook(self, hook: Callable[[Any, Any, Any], Any]) -> Hook:
        """Call `hook(module, arguments, result)` after each forward; what it returns, if anything, is the result.

        Returns a handle: its `remove()` takes the hook away again.
        """
        return self._registered("_hooks", hook, "register_forward_hook")

    @named
    def register_forward_pre_hook(self, hook: Callable[[Any, Any], Any]) -> Hook:
        """Call `hook(module, arguments)` before each forward; what it returns, if anything, are the arguments.

        Returns a handle: its `remove()` takes the hook away again.
        """
        return self._registered("_before", hook, "register_forward_pre_hook")

    @named
    def register_full_backward_hook(self, hook: Callable[[Any, Any, Any], Any]) -> Hook:
        """Call `hook(module, grad_inputs, grad_outputs)` when the gradient has passed this module.

        Both are tuples, of the positional arguments and of the results, None where no gradient comes. What the hook
        returns, if anything, goes on in the place of grad_inputs; of several inputs, the first one's can be changed.
        Without an input that has a gradient it is called at the outputs. Returns a handle, as the others.

        >>> import tinygrad_math as tm
        >>> layer = tm.nn.Tanh()
        >>> _ = layer.register_full_backward_hook(lambda module, into, out: print(into[0], out[0]))
        >>> layer(tm.tensor([0.0], requires_grad=True)).sum().backward()
        tensor([1.]) tensor([1.])
        """
        return self._registered("_backward", hook, "register_full_backward_hook")

    def _registered(self, place: str, hook: Callable[..., Any], asker: str) -> Hook:
        if not callable(hook):
            raise ArgumentError(f"{asker}() takes a function, got {hook!r:.60}")
        hooks: dict[int, Callable[..., Any]] = self.__dict__.get(place, {})
        key = clock()
        hooks[key] = hook
        object.__setattr__(self, place, hooks)
        object.__setattr__(self, "_hooked", True)
        return Hook(hooks, key)

    @named
    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call `fn` with every module below, and then with this one; with each of them once."""
        self._apply(fn, set())
        return self

    def _apply(self, fn: Callable[[Module], Any], seen: set[int]) -> None:
        seen.add(id(self))
        for child in self.children():
            if id(child) not in seen:
                child._apply(fn, seen)
        fn(self)

    def _rename(self, prefix: str) -> None:
        """Parameters carry their path in the network, for drawings and messages."""
        for name, p in self.named_parameters():
            p.name = f"{prefix}.{name}"

    # -- the tree -----------------------------------------------------------------------------------
    def tree_flatten(self) -> tuple[tuple[str, ...], tuple[Any, ...], Attributes]:
        kept = kept_attributes(self)
        known = kept.pop("_tree_keys", ())
        own = self._buffers
        keys = tuple([
            k for k, v in kept.items()
            if k in known or (type(v) not in INERT and k not in own and holds_parameters(v))
        ])  # fmt: skip
        rest = tuple([(k, v) for k, v in kept.items() if k not in keys])
        return keys, tuple([kept[k] for k in keys]), Attributes(rest)

    @classmethod
    def tree_unflatten(cls: type[M], keys: tuple[str, ...], children: list[Any], extra: Any) -> M:
        module = object.__new__(cls)
        module.__dict__.update(extra.pairs)
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

    @named
    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Learn every parameter here and below, or hold them all fixed."""
        for p in self.parameters():
            p.requires_grad = requires_grad
        return self

    @named
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; or, without `set_to_none`, make those that there are zeros."""
        for p in self.parameters():
            p.grad = None if set_to_none or p.grad is None else np.zeros(p.shape, p.dtype)

    @named
    def train(self: M, mode: bool = True) -> M:
        """Set training mode here and below; `eval()` is `train(False)`."""
        for m in self.modules():
            m.training = mode
        return self

    def eval(self: M) -> M:
        return self.train(False)

    def extra_repr(self) -> str:
        return ""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return bundle(self, html=self._page)

    def _page(self) -> str:
        """For a notebook: what it is made of, and each parameter."""
        rows = [
            (n, p.shape, p.dtype, f"{p.size:,}", "" if p.requires_grad else "frozen")
            for n, p in self.named_parameters()
        ]
        return preformatted(repr(self)) + (table(("parameter", "shape", "dtype", "numbers", ""), rows) if rows else "")

    def __repr__(self) -> str:
        count = sum(p.size for p in self.parameters())
        first, *rest = self._structure((id(self),))
        return "\n".join([f"{first}  # {count:,} parameter{'' if count == 1 else 's'}" if count else first, *rest])

    def _structure(self, above: tuple[int, ...]) -> list[str]:
        """The lines of the repr, those of modules below with their numbers of parameters."""
        lines = []
        for name, child in parts(self, ""):
            if id(child) in above:
                lines.append(f"  ({name}): the {type(child).__name__} that contains this")
                continue
            count = sum(p.size for p in child.parameters())
            first, *rest = child._structure((*above, id(child)))
            lines += [f"  ({name}): {first}" + (f"  # {count:,}" if count else ""), *("  " + line for line in rest)]
        head = f"{type(self).__name__}({self.extra_repr()}"
        return [f"{head})"] if not lines else [head, *lines, ")"]


for _name, _instead in SAY["nn.Module"].items():
    setattr(Module, _name, Elsewhere(_name, _instead))
