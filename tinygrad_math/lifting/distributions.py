"""Rules for the continuous distributions of scipy.stats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.numpy_alone import tensors_in
from ..core.op import Op
from ..core.tensor import Tensor, as_tensor, rec, record
from .checks import plain
from .rules import rule


def _along(name: str, value: Callable[[Any], Any], slope: Callable[[Any, Any], Any], x: Any) -> Tensor:
    """A function of each element whose values are known, and whose slope at (y, x) is a lifted function."""

    def vjp(xp: Any, need: Any, g: Any, y: Any, x: Any) -> Any:
        return [g * slope(y, x)]

    def jvp(xp: Any, ts: Any, y: Any, x: Any) -> Any:
        return ts[0] * slope(y, x)

    op = Op(name, lambda x: np.asarray(value(x)), kind="general", arity=1, vjp=vjp, jvp=jvp, doc="", register=False)
    return record(op, (as_tensor(x) * 1.0,), {})  # type: ignore[no-any-return]


@rule(*(f"scipy.stats.rv_continuous.{name}" for name in ("cdf", "sf", "ppf", "isf")))
def _distribution(f: Any, self: Any, x: Any, *args: Any, **more: Any) -> Any:
    """cdf' = pdf, sf' = -pdf, and their inverses' slopes are the reciprocals, of every continuous distribution."""
    if tensors_in([*args, *more.values()]) or tensors_in([*vars(self).values()]):
        return NotImplemented
    own = plain(self)
    density: Callable[[Any], Any] = lambda v: self.pdf(v, *args, **more)  # noqa: E731
    slopes: dict[str, Callable[[Any, Any], Any]] = {
        "cdf": lambda y, x: density(x),
        "sf": lambda y, x: -density(x),
        "ppf": lambda y, x: 1 / density(y),
        "isf": lambda y, x: -1 / density(y),
    }
    return _along(f"{own.name}.{f.__name__}", lambda v: f(own, v, *args, **more), slopes[f.__name__], x)


@rule("scipy.stats.beta_gen._pdf")
def _beta_density(f: Any, self: Any, x: Any, a: Any, b: Any) -> Any:
    return rec.exp(as_tensor(self._logpdf(x, a, b)))
