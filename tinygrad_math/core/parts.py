"""Writes that would be lost: into a part of a tensor that has no name, as in `c[0][1] = v`.

Tensors are values, so that a part does not write through to the whole, as NumPy's views do. Who names a part,
`v = c[0]; v[1] = 5`, has a value of his own. Without a name nobody would see the change; it raises LostWrite. That a
receiver has no name shows in the number of references to it, which is measured here for each way of a call.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from .errors import LostWrite

references = sys.getrefcount
_Marks = tuple["weakref.ref[Any]", ...]


class Parts:
    """The marks of a part: the tensors that it was taken from, as long as they live."""

    __slots__ = ("_from_loop", "_wholes")
    _wholes: _Marks
    _from_loop: bool

    def _as_part_of(self, whole: Parts) -> Any:
        marks = getattr(whole, "_wholes", ())
        self._wholes = (weakref.ref(whole), *(r for r in marks if r() is not None)) if marks else (weakref.ref(whole),)
        return self

    def _rows(self: Any) -> Iterator[Any]:
        for i in range(len(self)):
            row = self[i]
            row._from_loop = True
            yield row

    def _refuse_lost(self: Any, count: int, unnamed: int) -> None:
        """Raise if nobody but the caller's expression holds this part of a tensor that lives on."""
        if count > unnamed or not hasattr(self, "_wholes"):
            return
        if self._is_part() and not any(v is self for v in sys._getframe(2).f_locals.values()):
            raise self._lost("a part of a tensor that has no name")

    def _refuse_row(self: Any) -> None:
        """Raise for an operator in place on what a loop over a tensor gave."""
        if hasattr(self, "_from_loop") and self.shape and self._is_part():
            raise self._lost("a row that a loop over a tensor gave")

    def _is_part(self) -> bool:
        return any(r() is not None for r in getattr(self, "_wholes", ()))

    def _lost(self: Any, what: str) -> LostWrite:
        return LostWrite(
            f"this writes into {what}, {self.dtype}{self.shape}, and the tensor itself would not change: Tensors are "
            "values. Write to the whole with one index, x[i, j] = v or x[i] = x[i] * 2; for a value of its own, say "
            "part = x[i] + 0."
        )


class _Probe:
    """Counts the references to a receiver without a name, for each way in which it can be written to."""

    def __setitem__(self, index: Any, value: Any) -> None:
        count = references(self)
        counts["assignment"] = count

    def method(self) -> None:
        count = references(self)
        counts["method"] = count

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> None:
        count = references(kwargs["out"][0]) if method == "__call__" else references(inputs[0])
        counts[method, method == "__call__" and kwargs["out"][0] is self] = count

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> None:
        count = references(kwargs["out"])
        counts["function", kwargs["out"] is self] = count


counts: dict[Any, int] = {}
_Probe()[0] = 0
_Probe().method()
_probe: Any = _Probe
for _x in (0.0, _probe()):  # NumPy asks the first of the arguments that has an answer: out= itself, or another
    np.negative(_x, out=_probe())
    np.sum(_x, out=_probe())
np.add.at(_probe(), 0, 0)
ASSIGNMENT, METHOD, AT = counts["assignment"], counts["method"], counts["at", False]
