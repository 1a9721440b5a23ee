"""Whether networks are built alike, so that one program can compute all of them with their numbers side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..core.attributes import Attributes, kept_attributes
from ..core.errors import ArgumentError, describe
from ..core.tensor import Tensor
from ..nn.module import Module
from ..nn.parameter import Parameter

_HOOKS = ("_hooks", "_before", "_backward")
_APART = ("_tree_keys", *_HOOKS, "_hooked", "training")  # what is no part of how a network is built


def check_alike(asker: str, models: Sequence[Any]) -> None:
    """Raise ArgumentError, naming the first difference, unless all are networks of one architecture.

    They may differ in the values of their parameters and buffers, and in nothing else: a plain Tensor is a constant.
    No two share a parameter.
    """
    if not models:
        raise ArgumentError(f"{asker}: there is no network")
    owner: dict[int, int] = {}
    first: list[tuple[str, Any, Any]] = []
    for k, model in enumerate(models):
        if not isinstance(model, Module):
            raise ArgumentError(f"{asker}: network {k} is {describe(model)}, no module")
        for name, p in [*model.named_parameters(), *model.named_buffers()]:
            if owner.setdefault(id(p), k) != k:
                raise ArgumentError(f"{asker}: networks {owner[id(p)]} and {k} share {name}; make each anew")
        form = list(_form(model))
        first = first or form
        for (place, a, x), (other, b, y) in zip(first, form, strict=False):
            if place != other or a != b:
                there = f"{place or 'the network'} is {_told(x)}" if place == other else f"it has {place or 'a module'}"
                here = f"in network {k} {_told(y)}" if place == other else f"network {k} {other}"
                raise ArgumentError(
                    f"{asker}: networks of one architecture are asked for; in network 0 {there}, {here}"
                )
        if len(first) != len(form):
            raise ArgumentError(f"{asker}: networks of one architecture are asked for; 0 and {k} differ in their parts")


def _form(model: Module) -> Iterator[tuple[str, Any, Any]]:
    """How a network is built, place by place: (path, what has to be equal, what stands there)."""
    seen: dict[int, str] = {}
    for path, module in model.named_modules():
        kind = type(module)
        yield path, kind, kind
        seen[id(module)] = path
        for name, value in kept_attributes(module).items():
            if name not in _APART:
                place = f"{path}.{name}" if path else name
                form = _without_values(value, place, seen, name in module._buffers)
                yield place, Attributes(((name, form),)), value
        hooks = tuple(hook for name in _HOOKS for hook in getattr(module, name).values())
        yield f"{path}._hooks".lstrip("."), hooks, hooks


def _without_values(value: Any, place: str, seen: dict[int, str], buffer: bool = False) -> Any:
    """An attribute, with forms in the place of parameters and buffers; what stood elsewhere before is told by where."""
    if isinstance(value, Module):  # has a place of its own, or had one
        return ("module", seen.get(id(value)))
    if isinstance(value, Tensor):
        kind = type(value).__qualname__
        form = ("tensor", kind, value.shape, value.dtype, value.requires_grad, seen.setdefault(id(value), place))
        return form if buffer or isinstance(value, Parameter) else (*form, value)  # another one is a constant of all
    if isinstance(value, (list, tuple)):
        return type(value), tuple(_without_values(v, f"{place}.{k}", seen) for k, v in enumerate(value))
    if isinstance(value, dict):
        return type(value), tuple((k, _without_values(v, f"{place}.{k}", seen)) for k, v in value.items())
    return value


def _told(value: Any) -> str:
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, Parameter):
        return f"{describe(value)}{'' if value.requires_grad else ', held fixed'}"
    return f"{value!r:.60}"
