"""What a module consists of: the modules, parameters and buffers below it, with their paths."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..core.arguments import as_flag
from ..core.errors import ArgumentError
from ..core.kinds import INERT
from ..core.tensor import Tensor
from .parameter import Parameter
from .places import Places, opened

if TYPE_CHECKING:
    from .module import Module

_OF_OTHERS = INERT | set(weakref.ProxyTypes)  # which holds nothing, or what belongs to others
_OWN = ("_tree_keys", "_buffers", "_hooks", "_before", "_backward", "_hooked")


def holds_parameters(value: Any) -> bool:
    if type(value) in _OF_OTHERS:
        return False
    if isinstance(value, (Tensor, Contents)) or isinstance(opened(value), (Tensor, Contents)):
        return True
    if isinstance(value, (list, tuple)):
        return any(map(holds_parameters, value))
    return isinstance(value, dict) and any(map(holds_parameters, value.values()))


class Contents(Places):
    """The walks over a module: each part once, at the first of its places, unless every place is asked for."""

    _buffers: Mapping[str, bool] = {}

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

    def _below(self, prefix: str, seen: set[int], above: tuple[int, ...] | None) -> Iterator[tuple[str, Any]]:
        """The walk of `named_modules`: each module once, or, with those `above` this one, in each of its places."""
        if above is not None:
            if id(self) in above:
                raise ArgumentError(f"a module that contains itself: {type(self).__name__} at {prefix!r:.80}")
            above = (*above, id(self))
        elif id(self) in seen:
            return
        seen.add(id(self))
        yield prefix, self
        for path, value in parts(self, prefix):
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
    def _own_parameters(module: Contents, prefix: str) -> Iterator[tuple[str, Any]]:
        return ((path, value) for path, value in entries(module, prefix) if isinstance(value, Parameter))

    @staticmethod
    def _own_buffers(module: Contents, prefix: str) -> Iterator[tuple[str, Any]]:
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

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one, each once, with their names."""
        seen: set[int] = set()
        for name, value in parts(self, ""):
            if id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def children(self) -> Iterator[Module]:
        """The modules directly below this one, each once."""
        return (module for _, module in self.named_children())

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        return (p for _, p in self.named_parameters(recurse=recurse))


def entries(module: Contents, prefix: str) -> Iterator[tuple[str, Any]]:
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


def parts(module: Contents, prefix: str) -> Iterator[tuple[str, Any]]:
    """The modules among the entries of one, in each of their places."""
    return ((path, value) for path, value in entries(module, prefix) if isinstance(value, Contents))


def _inside(module: Contents, path: str, container: Any) -> Iterator[tuple[str, Any]]:
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
