"""NumPy meets a Tensor: its functions and ufuncs are this package's ops, or another library's to compute."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .conversion import SURE
from .errors import ArgumentError, describe
from .foreign import PRIORITY, answer_ufunc, has_functions, has_ufuncs
from .leaving import Leaving
from .node import Node
from .op import by_ufunc, rec
from .parts import AT, Parts, counts, references


def array_of(node: Node) -> Any:
    """A constant as another library's operator knows it: an array, or a number of NumPy's."""
    return np.array(node.data)[()]


def _somebody_elses(inputs: Sequence[Any]) -> bool:
    """Whether a ufunc of these arguments is another library's to compute."""
    live = 0
    others = []
    for v in inputs:
        if isinstance(v, Leaving):
            live |= v.node.live
        elif type(v) not in SURE:
            others.append(v)
    return any(has_ufuncs(v, live) for v in others)


class Protocols(Parts):
    """What NumPy asks of the arguments of its functions."""

    __slots__ = ()
    if TYPE_CHECKING:
        node: Node
        _record: Callable[..., Any]

    __array_priority__ = PRIORITY

    @property
    def __pandas_priority__(self) -> int:
        """Above all of pandas', which so leaves its operators to ours; these hand it the array of a constant.

        Not those in place, `s += x`: there pandas takes our turn for its result.
        """
        caller = sys._getframe(1).f_back
        if caller is not None and caller.f_code.co_name == "_inplace_method":
            raise ArgumentError(
                f"pandas' operators in place take no tensor, {describe(self)}: write s = s + x for s += x, "
                "or s += x.detach().numpy()"
            )
        return 5000

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if "out" in kwargs:
            for k in range(len(kwargs["out"])):  # without a name for it, which would be one more reference
                if isinstance(kwargs["out"][k], Protocols):
                    count = references(kwargs["out"][k])
                    kwargs["out"][k]._refuse_lost(count, counts["__call__", kwargs["out"][k] is self])
        elif method == "at" and isinstance(inputs[0], Protocols):
            count = references(inputs[0])
            inputs[0]._refuse_lost(count, AT)
        if len(inputs) > 1 and _somebody_elses(inputs):
            if kwargs or any(isinstance(v, Leaving) and v.node.live for v in inputs):
                return NotImplemented
            arrays = [array_of(v.node) if isinstance(v, Leaving) else v for v in inputs]
            return answer_ufunc(ufunc, method, inputs, arrays, kwargs)
        if method == "__call__" and not kwargs and ufunc in by_ufunc:
            op: Any = by_ufunc[ufunc]
            return op(*inputs) if op.chooses else self._record(op, inputs, op.defaults)
        return rec.numpy_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if len(types) > 1 and any(has_functions(t) and not issubclass(t, Protocols) for t in types):
            return NotImplemented
        if isinstance(kwargs.get("out"), Protocols):
            count = references(kwargs["out"])
            kwargs["out"]._refuse_lost(count, counts["function", kwargs["out"] is self])
        return rec.numpy_function(function, args, kwargs)
