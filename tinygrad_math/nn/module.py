"""Module: a network is an object with parameters, and at the same time a tree of them."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeVar

import numpy as np

from ..core.arguments import as_flag, named
from ..core.at import Hook
from ..core.attributes import Attributes, kept_attributes
from ..core.elsewhere import SAY, Elsewhere
from ..core.errors import ArgumentError, DTypeError, MathError, MissingMethod, ShapeError, describe, numeric_dtype
from ..core.kinds import INERT
from ..core.node import TRACED, TRANSFORMED, clock
from ..core.notebook import bundle, preformatted, table
from ..core.tensor import Tensor, as_tensor
from ..core.whole import put_all
from . import torch_words as _torch_words  # noqa: F401  (what else of PyTorch's calls is taken)
from .hooks import Crossing, changed_arguments
from .parameter import Parameter
from .places import Places, opened
from .twins import swapped

M = TypeVar("M", bound="Module")
P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class _Forward(Protocol[P, R]):
    """A module as its `forward` types it: `net(x)` takes and gives what that does."""

    _hooked: bool

    def _crossed(self, args: Any, kwargs: Any) -> Any: ...
    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R: ...


def _holds_parameters(value: Any) -> bool:
    if type(value) in _OF_OTHERS:
        return False
    if isinstance(value, (Tensor, Module)) or isinstance(opened(value), (Tensor, Module)):
        return True
    if isinstance(value, (list, tuple)):
        return any(map(_holds_parameters, value))
    return isinstance(value, dict) and any(map(_holds_parameters, value.values()))


class LoadedKeys(NamedTuple):
    """What `load_state_dict` found no value for, and what it had no place for."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def _without_arguments(title: str) -> Any:
    def __init__(self: Any) -> None:
        pass

    __init__.__qualname__ = f"{title}.__init__"
    return __init__


class Module(Places):
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
    _buffers: Mapping[str, bool] = {}
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
            if k in known or (type(v) not in INERT and k not in own and _holds_parameters(v))
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

    # -- walking over it ----------------------------------------------------------------------------
    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """This module and all below it, with their paths; one that is in two places once, at the first of them.

        `remove_duplicate=False` shows it at each. Raises ArgumentError then for a module that contains itself.

        >>> import tinygrad_math as tm
        >>> shared = tm.nn.Linear(2, 2)
        >>> net = tm.nn.Sequential(shared, tm.nn.Tanh(), shared)
        >>> [name for name, _ in net.named_modules()]
        ['', '0', '1']
        """
        seen: set[int] = set()
        once = as_flag(remove_duplicate, "named_modules: remove_duplicate")
        return self._below(prefix, seen, None if once else ())

    def _below(self, prefix: str, seen: set[int], above: tuple[int, ...] | None) -> Iterator[tuple[str, Module]]:
        """The walk of `named_modules`: each module once, or, with those `above` this one, in each of its places."""
        if above is not None:
            if id(self) in above:
                raise ArgumentError(f"a module that contains itself: {type(self).__name__} at {prefix!r:.80}")
            above = (*above, id(self))
        elif id(self) in seen:
            return
        seen.add(id(self))
        yield prefix, self
        for path, value in _entries(self, prefix):
            if isinstance(value, Module):
                yield from value._below(path, seen, above)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it, each once."""
        return (m for _, m in self.named_modules(remove_duplicate=remove_duplicate))

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Each parameter once, with its path: `encoder.0.weight`.

        Arguments: `prefix` begins each path; `recurse=False` leaves out those of modules below;
        `remove_duplicate=False` shows a parameter at each of its places.
        """
        return self._named(prefix, recurse, remove_duplicate, self._own_parameters)

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Each buffer once, with its path: `norm.running_mean`. Arguments as for `named_parameters`."""
        return self._named(prefix, recurse, remove_duplicate, self._own_buffers)

    @staticmethod
    def _own_parameters(module: Module, prefix: str) -> Iterator[tuple[str, Any]]:
        return ((path, value) for path, value in _entries(module, prefix) if isinstance(value, Parameter))

    @staticmethod
    def _own_buffers(module: Module, prefix: str) -> Iterator[tuple[str, Any]]:
        held = ((name, module.__dict__[name]) for name in module._buffers)
        return ((f"{prefix}.{name}" if prefix else name, value) for name, value in held if value is not None)

    def _named(self, prefix: str, recurse: bool, once: bool, own: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
        """What `own` finds in this module, and in those below it."""
        seen: set[int] = set()
        for path, module in self.named_modules(prefix, once) if recurse else [(prefix, self)]:
            for name, value in own(module, path):
                if not once or id(value) not in seen:
                    seen.add(id(value))
                    yield name, value

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        return (b for _, b in self.named_buffers(recurse=recurse))

    def _saved(self) -> dict[str, Tensor]:
        """Parameters and persistent buffers by path, module after module; tied ones under each of their paths."""
        found: dict[str, Tensor] = {}
        for prefix, module in self.named_modules(remove_duplicate=False):
            entries = list(_entries(module, prefix))
            found |= {path: v for path, v in entries if isinstance(v, Parameter)}
            for name, persistent in module._buffers.items():
                if persistent and module.__dict__[name] is not None:
                    found[f"{prefix}.{name}" if prefix else name] = module.__dict__[name]
        return found

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one, each once, with their names."""
        seen: set[int] = set()
        for name, value in _entries(self, ""):
            if isinstance(value, Module) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def children(self) -> Iterator[Module]:
        """The modules directly below this one, each once."""
        return (module for _, module in self.named_children())

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        return (p for _, p in self.named_parameters(recurse=recurse))

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

    # -- saving -------------------------------------------------------------------------------------
    def to(self: M, dtype: Any) -> M:
        """This module, its floating parameters and buffers now of another dtype; gradients are let go.

        Arguments: `dtype` a floating dtype; "cpu", the only device, changes nothing. Make the optimiser afterwards.
        Raises DTypeError for a dtype that is not floating.

        >>> import numpy as np, tinygrad_math as tm
        >>> tm.nn.Linear(2, 1).to(np.float32).weight.dtype
        dtype('float32')
        """
        if isinstance(dtype, str) and dtype == "cpu":
            return self
        wanted = None if dtype is None else numeric_dtype(dtype)
        if wanted is None or wanted.kind != "f":
            raise DTypeError(f"to: parameters are floating numbers; got the dtype {dtype!r:.40}")
        others = [t for t in (*self.parameters(), *self.buffers()) if t.dtype.kind == "f" and t.dtype != wanted]
        before = [(t, t.node.data) for t in others]
        put_all(Tensor._replace, [(t, array.astype(wanted)) for t, array in before], before)
        for t in others:
            if isinstance(t, Parameter):
                t.grad = None
        return self

    def float(self: M) -> M:
        """This module in float32; see `to`."""
        return self.to(np.float32)

    def half(self: M) -> M:
        """This module in float16; see `to`."""
        return self.to(np.float16)

    def cpu(self: M) -> M:
        """This module: it is there already."""
        return self

    def double(self: M) -> M:
        """This module in float64; see `to`."""
        return self.to(np.float64)

    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """A copy of the array of every parameter and persistent buffer, by path."""
        state = {}
        for name, t in self._saved().items():
            t._leave("state_dict()", "Use the parameters themselves.")
            state[name] = np.array(t.node.data)
        return state

    @named
    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> LoadedKeys:
        """Put arrays by path into the parameters and buffers, in the dtypes that these have.

        Returns the names that were missing and those that had no place; with `strict` these are errors.
        All are put there, or none, also where an interrupt comes in between. Raises before anything changes:
        ArgumentError that lists what is missing, unexpected, of another shape and of two values for one parameter,
        DTypeError for what is no array of numbers, or complex where the parameter is real.
        """
        if not isinstance(state_dict, Mapping):
            raise ArgumentError(f"load_state_dict() takes a dict of arrays by path, got {describe(state_dict)}")
        mine = self._saved()
        missing, unexpected = [k for k in mine if k not in state_dict], [k for k in state_dict if k not in mine]
        arrays, wrong = {}, []
        for name, t in mine.items():
            if name in state_dict:
                array = self._fitting(name, t, state_dict[name])
                if array.shape != t.shape:
                    wrong.append(f"{name} has shape {array.shape}, the module's {t.shape}")
                arrays[name] = array
        torn = _torn(mine, arrays)
        told = [f"missing: {', '.join(missing)}"] if strict and missing else []
        told += [f"unexpected: {', '.join(map(str, unexpected))}"] if strict and unexpected else []
        told += [f"of another shape: {'; '.join(wrong)}"] if wrong else []
        told += [f"of two values: {'; '.join(torn)}"] if torn else []
        if told:
            kind = ShapeError if wrong and len(told) == 1 else ArgumentError
            raise kind(
                f"this state does not fit {type(self).__name__}. " + ". ".join(w[0].upper() + w[1:] for w in told)
            )
        before = [(mine[name], mine[name].node.data) for name in arrays]
        put_all(Tensor._replace, [(mine[name], array) for name, array in arrays.items()], before)
        return LoadedKeys(missing, unexpected)

    def _fitting(self, name: str, p: Tensor, given: Any) -> np.ndarray[Any, Any]:
        """A copy of an array for one parameter, or the named error."""
        for t in (p, given):
            if isinstance(t, Tensor):
                t._leave("load_state_dict()", "Load before the function is differentiated.")
        try:
            array = np.asarray(as_tensor(given).detach().node.data)
        except MathError as error:
            raise DTypeError(f"state_dict: {name}: {error}") from error
        if array.dtype.kind == "c" and p.dtype.kind != "c":
            raise DTypeError(
                f"state_dict: {name} is complex, the parameter {describe(p)}: an imaginary part would be lost"
            )
        return array.astype(p.dtype)

    def with_tensors(self: M, tensors: Mapping[str, Any]) -> M:
        """A copy that has these Tensors in the place of its parameters and buffers, by path; all else is shared.

        What a function of the parameters calls: the network itself stays as it is, and so do the Tensors given for
        buffers, into which the copy writes (a running mean): `named_buffers` of the copy has what came of them.

        >>> import tinygrad_math as tm
        >>> layer = tm.nn.Linear(1, 1)
        >>> twin = layer.with_tensors({"weight": tm.tensor([[2.0]]), "bias": tm.tensor([1.0])})
        >>> twin([3.0])
        tensor([7.])
        """
        modules, buffers = dict(self.named_modules()), dict(self.named_buffers())
        mine = dict(self.named_parameters()) | buffers
        unknown = [name for name in tensors if name not in mine]
        if unknown:
            raise ArgumentError(f"with_tensors: {type(self).__name__} has no {', '.join(unknown)}")
        given = {name: as_tensor(t) for name, t in tensors.items()}
        written = {name: given[name].copy() for name in buffers if name in given}
        new = {id(mine[name]): t for name, t in (given | written).items()}
        twin: M = swapped(self, {id(m): m for m in modules.values()}, new, mine.values())
        return twin

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
        for name, child in ((k, v) for k, v in _entries(self, "") if isinstance(v, Module)):
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


def _torn(held: Mapping[str, Tensor], arrays: Mapping[str, np.ndarray[Any, Any]]) -> list[str]:
    """What is one tensor in several places, and is given a value of its own in each."""
    first: dict[int, str] = {}
    pairs = [(name, first.setdefault(id(held[name]), name)) for name in arrays]
    return [
        f"{name} and {other} are one parameter here"
        for name, other in pairs
        if name != other and arrays[name].tobytes() != arrays[other].tobytes()
    ]


_OF_OTHERS = INERT | set(weakref.ProxyTypes)  # which holds nothing, or what belongs to others
_OWN = ("_tree_keys", "_buffers", "_hooks", "_before", "_backward", "_hooked")


def _entries(module: Module, prefix: str) -> Iterator[tuple[str, Any]]:
    """The attributes of a module that may be parts of it, containers opened, with their paths."""
    own = module._buffers
    for name, value in list(module.__dict__.items()):  # whoever walks over them may set others
        if type(value) in _OF_OTHERS or name in _OWN or name in own:
            continue
        path = f"{prefix}.{name}" if prefix else name
        if isinstance(value, (list, tuple, dict)):
            yield from _inside(module, path, value)
        else:
            yield path, opened(value)


def _inside(module: Module, path: str, container: Any) -> Iterator[tuple[str, Any]]:
    """What a container holds, and those in it."""
    stack = [(path, container, 0)]
    while stack:
        path, value, depth = stack.pop()
        if type(value) in _OF_OTHERS:
            continue
        if depth > 64:
            raise ArgumentError(f"{type(module).__name__} has a container that contains itself: {path:.60}")
        if isinstance(value, (list, tuple)):
            stack += [(f"{path}.{i}", v, depth + 1) for i, v in reversed(list(enumerate(value)))]
        elif isinstance(value, dict):
            stack += [(f"{path}.{k}", v, depth + 1) for k, v in reversed(value.items())]
        else:
            yield path, opened(value)
