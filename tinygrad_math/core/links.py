"""What leads to some objects, and copies of it that lead to what takes their places.

A tree is made anew with other leaves. Beside the leaves an object may hold what leads to them: a bound method, a
function over the object, a helper that has one of its parts. That is made anew too, and each object once, so that what
was one stays one. All else is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import BuiltinFunctionType, FunctionType, MethodWrapperType
from typing import Any

import numpy as np

from .attributes import frozen
from .errors import ArgumentError
from .kinds import FOREIGN, Unlinkable, is_inert, own_kind


def leading(roots: Iterable[Any], targets: dict[int, Any]) -> dict[int, Any]:
    """What of the roots, and of all that they hold, leads to one of the targets, by identity; without these."""
    seen: dict[int, Any] = {}  # which also keeps alive what was made in passing, so that no identity comes twice
    above: dict[int, list[int]] = {}
    stack = [x for x in roots if not is_inert(x)]
    seen.update((id(x), x) for x in stack)
    reached: set[int] = {id(x) for x in stack} & targets.keys()
    while stack:
        x = stack.pop()
        kind = own_kind(x)
        if kind is None or id(x) in targets:
            continue
        for part in kind.parts(x):
            key = id(part)
            if key in targets:
                reached.add(key)
            elif is_inert(part):
                continue
            elif key not in seen:
                stack.append(part)
            seen[key] = part
            above.setdefault(key, []).append(id(x))
    return _upwards(reached, seen, above, targets)


def _upwards(
    reached: set[int], seen: dict[int, Any], above: dict[int, list[int]], targets: dict[int, Any]
) -> dict[int, Any]:
    found: dict[int, Any] = {}
    stack = list(reached)
    while stack:
        for key in above.get(stack.pop(), ()):
            if key not in found and key not in targets:
                found[key] = seen[key]
                stack.append(key)
    return found


class Copy:
    """Copies of what leads to some objects, with others in their places. What leads nowhere is its own copy."""

    def __init__(self, instead: dict[int, Any], lead: dict[int, Any]) -> None:
        self.made = dict(instead)  # by the identity of the original
        self.originals: dict[int, tuple[Any, Any]] = {}  # by the identity of the copy: what it is of, and itself
        self._lead = lead
        self._fills: list[Callable[[], object]] = []

    def __call__(self, x: Any, /) -> Any:
        key = id(x)
        if key in self.made:
            return self.made[key]
        if key not in self._lead:
            return x
        kind = own_kind(x)
        if kind is None:  # a leaf that nothing takes the place of
            raise Unlinkable(x, "it has several places in the tree; refer to one of them by the object that holds it")
        new = self.made.setdefault(key, kind.again(x, self))
        self.originals[id(new)] = x, new
        return new

    def begin(self, x: Any, copy: Any, fill: Callable[[], object]) -> Any:
        """`copy` is that of `x`; it is filled when all that is being made has begun."""
        self._fills.append(fill)
        return self.made.setdefault(id(x), copy)

    def finish(self) -> None:
        while self._fills:
            self._fills.pop()()


def unlinkable(tree: Any, name: str, found: Unlinkable) -> ArgumentError:
    """The error for an attribute that leads to the tree in a way that nobody can follow."""
    kind, through = type(tree).__name__, type(found.x).__name__
    return ArgumentError(
        f"{kind}.{name} leads to the parameters of this {kind}, or to it itself, through an object of type "
        f"{through}, which cannot be made anew for others: {found.way}"
    )


def alike(a: Any, b: Any, pairs: dict[int, int]) -> bool:
    """Whether two objects are made alike: of one type, of parts that are alike, down to equal values.

    `pairs` has what is taken for alike: of objects by which they are, from the first to the second.
    """
    if a is b or pairs.get(id(a)) == id(b):
        return True
    if type(a) is not type(b):
        return False
    if hasattr(type(a), "_tree_leaf"):  # a Tensor, whose number may be NumPy's or Python's
        return bool(frozen(np.asarray(a.node.data)) == frozen(np.asarray(b.node.data)))
    kind = None if is_inert(a) else own_kind(a)
    if kind is None:
        return bool(frozen(a) == frozen(b))
    if any(getattr(a, name) != getattr(b, name) for name in _TELLING.get(type(a), ())):
        return False
    pairs[id(a)] = id(b)
    parts, others = list(kind.parts(a)), list(kind.parts(b))
    if not parts or kind is FOREIGN:
        return bool(frozen(a) == frozen(b))
    return len(parts) == len(others) and all(alike(p, q, pairs) for p, q in zip(parts, others, strict=True))


_TELLING = {FunctionType: ("__code__",), BuiltinFunctionType: ("__name__",), MethodWrapperType: ("__name__",)}
