"""Modules of modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError
from ..core.tensor import Tensor
from .module import Module, Parameter

_NAMES = [str(i) for i in range(64)]  # of the layers, ready made


class Sequential(Module):
    """Modules (or functions) one after another; indexable. Their parameters are named by place: `0.weight`.

    >>> import tinygrad_math as tm
    >>> tm.nn.Sequential(tm.nn.Linear(2, 3), tm.nn.Tanh())
    Sequential(  # 9 parameters
      (0): Linear(2, 3)  # 9
      (1): Tanh()
    )
    """

    def __init__(self, *layers: Any) -> None:
        for i, layer in enumerate(layers):
            if not callable(layer):
                raise ArgumentError(f"Sequential takes modules and functions; number {i} is {layer!r:.60}")
            if isinstance(layer, type):
                raise ArgumentError(
                    f"Sequential: number {i} is the class {layer.__name__}; make one, {layer.__name__}()"
                )
            setattr(self, str(i), layer)
        self.length = len(layers)

    def append(self, layer: Any) -> Sequential:
        """One more module or function at the end."""
        if not callable(layer):
            raise ArgumentError(f"Sequential takes modules and functions, got {layer!r:.60}")
        setattr(self, str(self.length), layer)
        self.length += 1
        return self

    @property
    def layers(self) -> list[Any]:
        """The modules and functions, in order."""
        return [getattr(self, str(i)) for i in range(self.length)]

    def forward(self, x: Any) -> Tensor:
        children = self.__dict__
        for name in _NAMES[: self.length] if self.length <= len(_NAMES) else map(str, range(self.length)):
            x = children[name](x)
        return x

    def __getitem__(self, i: int | slice) -> Any:
        if not isinstance(i, slice):
            return self.layers[i]
        part = object.__new__(type(self))  # the same layers: their parameters keep their names
        part.__dict__.update({str(k): layer for k, layer in enumerate(self.layers[i])})
        part.length = len(self.layers[i])
        return part

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    def __len__(self) -> int:
        return self.length


class ModuleList(Module):
    """A list of modules, whose parameters are those of the whole: `0.weight`, `1.weight`.

    >>> import tinygrad_math as tm
    >>> layers = tm.nn.ModuleList([tm.nn.Linear(2, 2), tm.nn.Tanh()])
    >>> len(layers), [name for name, _ in layers.named_parameters()]
    (2, ['0.weight', '0.bias'])
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.length = 0
        self.extend(modules)

    def append(self, module: Module) -> ModuleList:
        """One more module at the end."""
        if not isinstance(module, Module):
            raise ArgumentError(f"ModuleList holds modules, got {module!r:.60}")
        setattr(self, str(self.length), module)
        self.length += 1
        return self

    @named
    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """More modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """A module before another one."""
        if not isinstance(module, Module):
            raise ArgumentError(f"ModuleList holds modules, got {module!r:.60}")
        self._refill([*self][:index] + [module] + [*self][index:])

    def _refill(self, modules: list[Module]) -> None:
        for k in range(self.length):
            delattr(self, str(k))
        self.length = 0
        self.extend(modules)

    def __getitem__(self, index: int | slice) -> Any:
        found = [getattr(self, str(k)) for k in range(self.length)][index]
        return ModuleList(found) if isinstance(index, slice) else found

    def __setitem__(self, index: int, module: Module) -> None:
        if not isinstance(module, Module):
            raise ArgumentError(f"ModuleList holds modules, got {module!r:.60}")
        setattr(self, str(range(self.length)[index]), module)

    def __delitem__(self, index: int | slice) -> None:
        kept = [*self]
        del kept[index]
        self._refill(kept)

    def __iter__(self) -> Iterator[Module]:
        return (getattr(self, str(k)) for k in range(self.length))

    def __len__(self) -> int:
        return self.length


class ModuleDict(Module):
    """Modules by name, whose parameters are those of the whole: `encoder.weight`.

    >>> import tinygrad_math as tm
    >>> parts = tm.nn.ModuleDict({"encoder": tm.nn.Linear(2, 1)})
    >>> list(parts), [name for name, _ in parts.named_parameters()]
    (['encoder'], ['encoder.weight', 'encoder.bias'])
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] = ()) -> None:
        super().__init__()
        self.names: tuple[str, ...] = ()
        self.update(modules)

    @named
    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """More modules, or others in the place of those of the same name."""
        for name, module in modules.items() if isinstance(modules, Mapping) else modules:
            self[name] = module

    def __setitem__(self, name: str, module: Module) -> None:
        if not isinstance(module, Module):
            raise ArgumentError(f"ModuleDict holds modules, got {module!r:.60}")
        if not isinstance(name, str) or (name not in self.names and hasattr(self, name)) or "." in name or not name:
            raise ArgumentError(f"ModuleDict: {name!r:.40} is no name for a module, or is taken by an attribute")
        setattr(self, name, module)
        if name not in self.names:
            self.names = (*self.names, name)

    def __getitem__(self, name: str) -> Any:
        if name not in self.names:
            raise ArgumentError(f"ModuleDict has no module {name!r:.40}, only {', '.join(self.names)}")
        return getattr(self, name)

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def pop(self, name: str) -> Any:
        """Take a module out."""
        module = self[name]
        delattr(self, name)
        self.names = tuple(n for n in self.names if n != name)
        return module

    def keys(self) -> tuple[str, ...]:
        return self.names

    def values(self) -> list[Module]:
        return [self[name] for name in self.names]

    def items(self) -> list[tuple[str, Module]]:
        return [(name, self[name]) for name in self.names]

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def _as_parameter(value: Any, asker: str) -> Parameter:
    if isinstance(value, Parameter):
        return value
    if isinstance(value, (Tensor, np.ndarray)):
        return Parameter(value)
    raise ArgumentError(f"{asker} holds parameters, got {value!r:.60}")


class ParameterList(Module):
    """A list of parameters, which are those of the whole: `0`, `1`. Arrays and Tensors become parameters.

    >>> import numpy as np, tinygrad_math as tm
    >>> weights = tm.nn.ParameterList([tm.nn.Parameter([1.0]), np.ones(2)])
    >>> len(weights), [p.shape for p in weights], list(weights.state_dict())
    (2, [(1,), (2,)], ['0', '1'])
    """

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self.length = 0
        self.extend(values)

    def append(self, value: Any) -> ParameterList:
        """One more parameter at the end."""
        setattr(self, str(self.length), _as_parameter(value, "ParameterList"))
        self.length += 1
        return self

    @named
    def extend(self, values: Iterable[Any]) -> ParameterList:
        """More parameters at the end."""
        for value in values:
            self.append(value)
        return self

    def __getitem__(self, index: int | slice) -> Any:
        found = [getattr(self, str(k)) for k in range(self.length)][index]
        return ParameterList(found) if isinstance(index, slice) else found

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, str(range(self.length)[index]), _as_parameter(value, "ParameterList"))

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, str(k)) for k in range(self.length))

    def __len__(self) -> int:
        return self.length

    def _structure(self, above: tuple[int, ...]) -> list[str]:
        return [f"ParameterList({', '.join(str(p.shape) for p in self)})"]


class ParameterDict(Module):
    """Parameters by name, which are those of the whole. Arrays and Tensors become parameters.

    >>> import tinygrad_math as tm
    >>> parts = tm.nn.ParameterDict({"scale": tm.nn.Parameter(2.0)})
    >>> parts["shift"] = tm.nn.Parameter(1.0)
    >>> list(parts), (parts["scale"] * 3.0 + parts["shift"]).item()
    (['scale', 'shift'], 7.0)
    """

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__()
        self.names: tuple[str, ...] = ()
        self.update(parameters)

    @named
    def update(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """More parameters, or others in the place of those of the same name."""
        for name, value in parameters.items() if isinstance(parameters, Mapping) else parameters:
            self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        if not isinstance(name, str) or (name not in self.names and hasattr(self, name)) or "." in name or not name:
            raise ArgumentError(f"ParameterDict: {name!r:.40} is no name for a parameter, or is taken by an attribute")
        setattr(self, name, _as_parameter(value, "ParameterDict"))
        if name not in self.names:
            self.names = (*self.names, name)

    def __getitem__(self, name: str) -> Any:
        if name not in self.names:
            raise ArgumentError(f"ParameterDict has no parameter {name!r:.40}, only {', '.join(self.names)}")
        return getattr(self, name)

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def pop(self, name: str) -> Any:
        """Take a parameter out."""
        value = self[name]
        delattr(self, name)
        self.names = tuple(n for n in self.names if n != name)
        return value

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

    def _structure(self, above: tuple[int, ...]) -> list[str]:
        return [f"ParameterDict({', '.join(f'{n}: {p.shape}' for n, p in self.items())})"]
