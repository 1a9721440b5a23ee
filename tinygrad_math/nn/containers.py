"""Modules of modules, and lists and dicts of modules and of parameters."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, describe
from ..core.tensor import Tensor
from .module import Module
from .parameter import Parameter

_NAMES = [str(i) for i in range(64)]  # of the layers, ready made


class Sequential(Module):
    """Modules (or functions) one after another; indexable. Their parameters are named by place: `0.weight`.

    Arguments: the layers, or one dict of them, under whose names they are kept then: `fc.weight`. A slice is one of the
    same layers under the names that they have.

    >>> import tinygrad_math as tm
    >>> tm.nn.Sequential(tm.nn.Linear(2, 3), tm.nn.Tanh())
    Sequential(  # 9 parameters
      (0): Linear(2, 3)  # 9
      (1): Tanh()
    )
    >>> list(tm.nn.Sequential({"fc": tm.nn.Linear(2, 3), "act": tm.nn.Tanh()}).state_dict())
    ['fc.weight', 'fc.bias']
    """

    def __init__(self, *layers: Any) -> None:
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            self._keep(list(layers[0].values()), tuple(layers[0]))
        else:
            self._keep(list(layers))

    def _keep(self, layers: list[Any], names: tuple[str, ...] = ()) -> None:
        """Have these layers, under these names or by their places."""
        for i, layer in enumerate(layers):
            self._check(layer, f"number {i}")
        numbered = tuple(map(str, range(len(layers))))
        names = names or numbered
        for name in names:
            if not isinstance(name, str) or not name or "." in name or (not name.isdigit() and hasattr(self, name)):
                raise ArgumentError(f"Sequential: {name!r:.40} is no name for a layer, or is taken by an attribute")
        for name in [self._name(i) for i in range(self.__dict__.get("length", 0))]:
            delattr(self, name)
        for name, layer in zip(names, layers, strict=True):
            setattr(self, name, layer)
        self.length = len(layers)
        if names != numbered:
            self.names = names
        else:
            self.__dict__.pop("names", None)

    @staticmethod
    def _check(layer: Any, place: str) -> None:
        if not callable(layer):
            raise ArgumentError(f"Sequential takes modules and functions; {place} is {layer!r:.60}")
        if isinstance(layer, type):
            raise ArgumentError(f"Sequential: {place} is the class {layer.__name__}; make one, {layer.__name__}()")

    names: tuple[str, ...] = ()  # where they are not the places

    def _name(self, i: int) -> str:
        return self.names[i] if self.names else str(i)

    def append(self, module: Any) -> Sequential:
        """One more module or function at the end."""
        return self.extend([module])

    @named
    def extend(self, sequential: Iterable[Any]) -> Sequential:
        """More modules or functions at the end."""
        more = list(sequential)
        for layer in more:
            self._check(layer, "one")
        for layer in more:
            name = next(n for n in map(str, itertools.count(self.length)) if n not in self.names)
            if self.names:
                self.names = (*self.names, name)
            setattr(self, name, layer)
            self.length += 1
        return self

    @named
    def insert(self, index: int, module: Any) -> Sequential:
        """One before another one. All are named by their places then."""
        layers = self.layers
        layers.insert(index, module)
        self._keep(layers)
        return self

    @named
    def pop(self, key: int | slice = -1) -> Any:
        """Take one out, the last unless named. All others are named by their places then."""
        found = self[key]
        del self[key]
        return found

    @property
    def layers(self) -> list[Any]:
        """The modules and functions, in order."""
        return [getattr(self, self._name(i)) for i in range(self.length)]

    def forward(self, x: Any) -> Tensor:
        children = self.__dict__
        if self.names:
            names: Iterable[str] = self.names
        else:
            names = _NAMES[: self.length] if self.length <= len(_NAMES) else map(str, range(self.length))
        for name in names:
            x = children[name](x)
        return x

    def __getitem__(self, i: int | slice) -> Any:
        if not isinstance(i, slice):
            return self.layers[i]
        part = object.__new__(type(self))  # the same layers under the same names, so that a state fits as before
        layers, names = self.layers[i], tuple(map(self._name, range(self.length)))[i]
        part.__dict__.update(zip(names, layers, strict=True))
        part.length = len(layers)
        if names != tuple(map(str, range(len(layers)))):
            part.names = names
        return part

    def __setitem__(self, i: int, module: Any) -> None:
        self._check(module, f"number {i}")
        setattr(self, self._name(range(self.length)[i]), module)

    def __delitem__(self, i: int | slice) -> None:
        layers = self.layers
        del layers[i]
        self._keep(layers)

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            return NotImplemented
        return self[:].extend(other)

    def __iadd__(self, other: Sequential) -> Sequential:
        return self.extend(other)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    def __len__(self) -> int:
        return self.length


class _InOrder(Module):
    """What is kept under numbers: `0`, `1`."""

    def __init__(self) -> None:
        super().__init__()
        self.length = 0

    def _taken(self, value: Any) -> Any:
        """What is kept of a value, or an error."""
        raise NotImplementedError

    def append(self, value: Any) -> Self:
        """One more at the end."""
        setattr(self, str(self.length), self._taken(value))
        self.length += 1
        return self

    def _extend(self, values: Iterable[Any]) -> Self:
        for value in values:
            self.append(value)
        return self

    def insert(self, index: int, value: Any) -> None:
        """One before another one."""
        self._refill([*self][:index] + [self._taken(value)] + [*self][index:])

    @named
    def pop(self, key: int | slice = -1) -> Any:
        """Take one out."""
        found = self[key]
        del self[key]
        return found

    def __add__(self, other: Iterable[Any]) -> Self:
        return type(self)()._extend([*self, *other])

    def __iadd__(self, other: Iterable[Any]) -> Self:
        return self._extend(other)

    def _refill(self, values: list[Any]) -> None:
        for k in range(self.length):
            delattr(self, str(k))
        self.length = 0
        self._extend(values)

    def __getitem__(self, index: int | slice) -> Any:
        found = [*self][index]
        return type(self)()._extend(found) if isinstance(index, slice) else found

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, str(range(self.length)[index]), self._taken(value))

    def __delitem__(self, index: int | slice) -> None:
        kept = [*self]
        del kept[index]
        self._refill(kept)

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, str(k)) for k in range(self.length))

    def __len__(self) -> int:
        return self.length


class _ByName(Module):
    """What is kept under names, in the order in which they came."""

    holds: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.names: tuple[str, ...] = ()

    def _taken(self, value: Any) -> Any:
        """What is kept of a value, or an error."""
        raise NotImplementedError

    def _update(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        for name, value in values.items() if isinstance(values, Mapping) else values:
            self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        kept, kind = self._taken(value), type(self).__name__
        if not isinstance(name, str) or (name not in self.names and hasattr(self, name)) or "." in name or not name:
            raise ArgumentError(f"{kind}: {name!r:.40} is no name for a {self.holds}, or is taken by an attribute")
        setattr(self, name, kept)
        if name not in self.names:
            self.names = (*self.names, name)

    def __getitem__(self, name: str) -> Any:
        if name not in self.names:
            raise ArgumentError(f"{type(self).__name__} has no {self.holds} {name!r:.40}, only {', '.join(self.names)}")
        return getattr(self, name)

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def pop(self, name: str) -> Any:
        """Take one out."""
        value = self[name]
        delattr(self, name)
        self.names = tuple(n for n in self.names if n != name)
        return value

    def clear(self) -> None:
        """Take all out."""
        for name in self.names:
            delattr(self, name)
        self.names = ()

    def get(self, key: str, default: Any = None) -> Any:
        """The one of a name, or `default`."""
        if not isinstance(key, str):
            raise ArgumentError(f"ModuleDict.get: the modules have names, which are texts; got {describe(key)}")
        return getattr(self, key) if key in self.names else default

    def keys(self) -> tuple[str, ...]:
        return self.names

    def values(self) -> list[Any]:
        return [self[name] for name in self.names]

    def items(self) -> list[tuple[str, Any]]:
        return [(name, self[name]) for name in self.names]

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def _as_module(value: Any, asker: str) -> Module:
    if not isinstance(value, Module):
        raise ArgumentError(f"{asker} holds modules, got {value!r:.60}")
    return value


def _as_parameter(value: Any, asker: str) -> Parameter:
    if isinstance(value, Parameter):
        return value
    if isinstance(value, (Tensor, np.ndarray)):
        return Parameter(value)
    raise ArgumentError(f"{asker} holds parameters, got {value!r:.60}")


class ModuleList(_InOrder):
    """A list of modules, whose parameters are those of the whole: `0.weight`, `1.weight`.

    >>> import tinygrad_math as tm
    >>> layers = tm.nn.ModuleList([tm.nn.Linear(2, 2), tm.nn.Tanh()])
    >>> len(layers), [name for name, _ in layers.named_parameters()]
    (2, ['0.weight', '0.bias'])
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def _taken(self, value: Any) -> Module:
        return _as_module(value, "ModuleList")

    @named
    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """More modules at the end."""
        return self._extend(modules)


class ModuleDict(_ByName):
    """Modules by name, whose parameters are those of the whole: `encoder.weight`.

    >>> import tinygrad_math as tm
    >>> parts = tm.nn.ModuleDict({"encoder": tm.nn.Linear(2, 1)})
    >>> list(parts), [name for name, _ in parts.named_parameters()]
    (['encoder'], ['encoder.weight', 'encoder.bias'])
    """

    holds = "module"

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update(modules or ())

    def _taken(self, value: Any) -> Module:
        return _as_module(value, "ModuleDict")

    @named
    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """More modules, or others in the place of those of the same name."""
        self._update(modules)


class ParameterList(_InOrder):
    """A list of parameters, which are those of the whole: `0`, `1`. Arrays and Tensors become parameters.

    >>> import numpy as np, tinygrad_math as tm
    >>> weights = tm.nn.ParameterList([tm.nn.Parameter([1.0]), np.ones(2)])
    >>> len(weights), [p.shape for p in weights], list(weights.state_dict())
    (2, [(1,), (2,)], ['0', '1'])
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(() if values is None else values)

    def _taken(self, value: Any) -> Parameter:
        return _as_parameter(value, "ParameterList")

    @named
    def extend(self, values: Iterable[Any]) -> ParameterList:
        """More parameters at the end."""
        return self._extend(values)

    def _structure(self, above: tuple[int, ...]) -> list[str]:
        return [f"ParameterList({', '.join(str(p.shape) for p in self)})"]


class ParameterDict(_ByName):
    """Parameters by name, which are those of the whole. Arrays and Tensors become parameters.

    >>> import tinygrad_math as tm
    >>> parts = tm.nn.ParameterDict({"scale": tm.nn.Parameter(2.0)})
    >>> parts["shift"] = tm.nn.Parameter(1.0)
    >>> list(parts), (parts["scale"] * 3.0 + parts["shift"]).item()
    (['scale', 'shift'], 7.0)
    """

    holds = "parameter"

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        super().__init__()
        self.update(parameters or ())

    def _taken(self, value: Any) -> Parameter:
        return _as_parameter(value, "ParameterDict")

    @named
    def update(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """More parameters, or others in the place of those of the same name."""
        self._update(parameters)

    def _structure(self, above: tuple[int, ...]) -> list[str]:
        return [f"ParameterDict({', '.join(f'{n}: {p.shape}' for n, p in self.items())})"]
