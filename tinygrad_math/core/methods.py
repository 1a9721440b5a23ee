"""Functions of one tensor, as its methods. Their types stand beside this file, as `tests/stubs.py` writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .op import rec

NAMES = (
    "sum", "mean", "prod", "max", "min", "var", "std", "all", "any", "argmax", "argmin", "argsort", "cumsum",
    "cumprod", "clip", "round", "conj", "conjugate", "reshape", "ravel", "flatten", "squeeze", "unsqueeze",
    "transpose", "swapaxes", "permute", "expand", "diagonal", "trace", "repeat", "take", "dot", "matmul", "astype",
    "copy", "nonzero", "norm", "abs", "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "square", "sigmoid",
    "relu", "softmax", "log_softmax", "ptp", "searchsorted", "choose", "pow", "add", "subtract", "multiply",
    "divide", "negative", "maximum", "minimum", "reciprocal", "sign", "floor", "ceil", "trunc", "exp2", "expm1",
    "log2", "log10", "log1p", "asin", "acos", "atan", "arcsin", "arccos", "arctan", "sinh", "cosh", "asinh",
    "acosh", "atanh", "arcsinh", "arccosh", "arctanh", "hypot", "logaddexp", "isnan", "isinf", "isfinite", "flip",
    "roll", "tril", "triu", "outer", "inner", "split", "median", "quantile", "topk", "nansum", "nanmean",
    "absolute",
)  # fmt: skip


def _method(name: str) -> Callable[..., Any]:
    """`x.name(...)` for the function of this name."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(rec, name)(self, *args, **kwargs)

    method.__name__, method.__qualname__ = name, f"Tensor.{name}"
    method.__doc__ = f"`tm.{name}(x, ...)` of this tensor."
    return method


class Methods:
    """`x.sum(axis=0)` for `tm.sum(x, axis=0)`, and so on."""

    __slots__ = ()


for _name in NAMES:
    setattr(Methods, _name, _method(_name))
