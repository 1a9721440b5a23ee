"""Functions that are linear in each of some arrays, and known by their values alone.

y = A(x1, ..., xn) is the multilinear form F(g; x1, ..., xn) = <g, A(x1, ..., xn)> with one place left open, and so is
each of its derivatives, of any order: a cotangent in the place of y and an argument's place left open, a tangent in an
argument's place. Where the open place is y's, the library's function gives the values; where it is an argument's, its
values at the basis of that argument do, exactly: one call for each element of the argument.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.errors import NoDerivative
from ..core.op import Op
from ..core.tensor import Tensor, as_tensor, record

Apply = Callable[..., Any]


class Form:
    """`apply(*arrays)`, linear in each of them, as ops: one for each place that is left open."""

    def __init__(self, name: str, apply: Apply, shapes: Sequence[tuple[int, ...]]) -> None:
        self.name, self.apply, self.shapes = name, apply, tuple(shapes)
        self.ops = [self._op(k) for k in range(len(self.shapes))]

    def __call__(self, *arrays: Any) -> Tensor:
        return self.open(0, *arrays)

    def open(self, place: int, *arrays: Any) -> Tensor:
        """The form with this place open (0 is y's), of the arrays in the other places, in order."""
        return record(self.ops[place], tuple(arrays), {})  # type: ignore[no-any-return]

    def _op(self, place: int) -> Op:
        others = [k for k in range(len(self.shapes)) if k != place]

        def forward(*arrays: Any) -> Any:
            given: dict[int, Any] = dict(zip(others, map(np.asarray, arrays), strict=True))
            return self._values(place, given)

        def vjp(xp: Any, need: Any, g: Any, y: Any, *arrays: Any) -> Any:
            given = dict(zip(others, arrays, strict=True)) | {place: g}
            return [self._other(k, given) if wanted else None for k, wanted in zip(others, need, strict=True)]

        def jvp(xp: Any, ts: Any, y: Any, *arrays: Any) -> Any:
            total = None
            for k, t in enumerate(ts):
                if t is not None:
                    part = self._of(place, [*arrays[:k], t, *arrays[k + 1 :]])
                    total = part if total is None else total + part
            return total

        title = self.name if place == 0 else f"{self.name} transposed"
        return Op(title, forward, kind="general", arity=len(others), vjp=vjp, jvp=jvp, doc="", register=False)

    def _other(self, place: int, given: dict[int, Any]) -> Any:
        return self._of(place, [given[k] for k in range(len(self.shapes)) if k != place])

    def _of(self, place: int, arrays: Sequence[Any]) -> Any:
        """What a rule computes: of arrays an array, of Tensors a Tensor."""
        if any(isinstance(a, Tensor) for a in arrays):
            return self.open(place, *arrays)
        return self.ops[place].forward(*arrays)

    def _values(self, place: int, given: dict[int, Any]) -> Any:
        names = range(1, len(self.shapes))
        if place == 0:
            return np.asarray(self.apply(*(given[k] for k in names)))
        g, basis = given[0], np.zeros(self.shapes[place], np.result_type(*given.values()))
        out, flat = np.empty_like(basis).reshape(-1), basis.reshape(-1)
        for k in range(flat.size):
            flat[k] = 1.0
            out[k] = (g * self.apply(*(basis if n == place else given[n] for n in names))).sum()
            flat[k] = 0.0
        return out.reshape(basis.shape)


def linear_in(name: str, apply: Apply, *arrays: Any) -> Tensor:
    """`apply(*arrays)`, which is linear in each array; in the first but for what it gives where that is 0."""
    tensors = [as_tensor(a) for a in arrays]
    plain = [np.asarray(t.detach()) for t in tensors]
    y, silent = np.asarray(apply(*plain)), np.zeros_like(plain[0])
    rest = np.asarray(apply(silent, *plain[1:]))
    moved: Apply = apply if not rest.any() else lambda x, *others: apply(x, *others) - apply(silent, *others)
    for k in range(1, len(plain)):
        if np.any(moved(*plain[:k], np.zeros_like(plain[k]), *plain[k + 1 :])):
            raise NoDerivative(f"{name} with these options is not linear in its arrays, and has no derivative here")
    total = Form(name, moved, [y.shape, *(t.shape for t in tensors)])(*tensors)
    if not rest.any():
        return total
    others = tensors[1:]
    return total + (linear_in(name, lambda *others: apply(silent, *others), *others) if others else rest)
