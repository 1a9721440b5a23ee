"""Writes that would be lost: into a part of a tensor that has no name, as in `c[0][1] = v`.

Tensors are values, so that a part does not write through to the whole, as NumPy's views do. Who names a part,
`v = c[0]; v[1] = 5`, has a value of his own. Without a name nobody would see the change; it raises LostWrite, as it
does in a library that knows only NumPy's views. That a receiver has no name, and that the whole is still there, shows
in the number of references, so that reading a part costs nothing; how many there are without a name is measured here
for each way of a call.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from .errors import LostWrite
from .place import STRANGERS, stranger

references = sys.getrefcount


class Parts:
    """Whether a tensor is a part of another one that is still there."""

    __slots__ = ("_from_loop", "_item")
    _from_loop: bool  # set for what a loop over a tensor gave
    _item: bool  # set for a single number of an array: it shares no memory that would show where it comes from

    def _rows(self: Any, backwards: bool = False) -> Iterator[Any]:
        for i in range(len(self))[:: -1 if backwards else 1]:
            row = self[i]
            row._from_loop = True
            yield row

    def _refuse_lost(self: Any, count: int, unnamed: int) -> None:
        """Raise if nobody but the caller's expression holds this part of a tensor that lives on, or it means a view."""
        if count <= unnamed:
            if self._is_part() and not _is_local(self):
                raise self._lost("a part of a tensor that has no name")
        elif (
            STRANGERS.get((frame := sys._getframe(2)).f_code.co_filename, True) and stranger(frame) and self._is_part()
        ):
            raise self._lost("a part of a tensor, in a library that was written for NumPy's views")

    def _refuse_row(self: Any) -> None:
        """Raise for an operator in place on what a loop over a tensor gave, or on what is meant as a view.

        `x[i] += v` is none: its part has no name, and Python writes it back.
        """
        if hasattr(self, "_from_loop"):
            if self.shape and self._is_part():
                raise self._lost("a row that a loop over a tensor gave")
        elif STRANGERS.get((frame := sys._getframe(2)).f_code.co_filename, True) and self.shape and stranger(frame):
            count = references(self)
            if (count > counts["operator"] or _is_local(self)) and self._is_part():
                raise self._lost("a part of a tensor, in a library that was written for NumPy's views")

    def _is_part(self: Any) -> bool:
        node = self.node
        if not node.inputs:
            return hasattr(self, "_item") or _lent(node)
        while len(node.inputs) == 1 and (node.op.name in _SURELY or _same_memory(node, node.inputs[0])):
            if references(node.inputs[0]) > LONE["node"] and node.op.name != "select":
                return True
            node = node.inputs[0]
        return False

    def _lost(self: Any, what: str) -> LostWrite:
        return LostWrite(
            f"this writes into {what}, {self.dtype}{self.shape}, and the tensor itself would not change: Tensors are "
            "values. Write to the whole with one index, x[i, j] = v or x[i] = x[i] * 2; for a value of its own, say "
            "part = x[i] + 0."
        )


def _is_local(value: Any) -> bool:
    """Whether the caller of the method has a name for a value, where Python lends it out without counting (3.14)."""
    return any(v is value for v in sys._getframe(3).f_locals.values())


def _owner(array: Any) -> Any:
    return array.base if isinstance(getattr(array, "base", None), np.ndarray) else array


_SURELY = {"getitem", "split", "unstack"}  # ops whose results are parts, also in a trace, where there is no memory yet


def _same_memory(node: Any, other: Any) -> bool:
    if node.op.name == "select":  # one of the results of the op before it
        return other.op.name in _SURELY
    return isinstance(node.data, np.ndarray) and _owner(node.data) is _owner(other.data)


def _lent(node: Any) -> bool:
    """Whether somebody else holds the memory of a node's array."""
    if not isinstance(node.data, np.ndarray):
        return False
    if isinstance(node.data.base, np.ndarray):
        return references(node.data.base) > LONE["view"]
    return references(node.data) > LONE["array"]


class _Probe:
    """Counts the references to a receiver without a name, for each way in which it can be written to."""

    def __setitem__(self, index: Any, value: Any) -> None:
        count = references(self)
        counts["assignment"] = count

    def __iadd__(self, other: Any) -> Any:
        self._refuse_row()
        return self

    def _refuse_row(self) -> None:
        count = references(self)
        counts["operator"] = count

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
_made: Any = type("_Made", (), {"__getitem__": lambda self, k: _Probe(), "__setitem__": lambda self, k, v: None})()
_made[0] += 0
ASSIGNMENT, METHOD, AT = counts["assignment"], counts["method"], counts["at", False]


class _Lone:
    """A node as `_is_part` and `_lent` see it, whose array and input nobody else holds."""


_lone: Any = _Lone()
LONE = {}
_lone.inputs, _lone.data = (_Lone(),), np.zeros(2)
LONE["node"], LONE["array"] = references(_lone.inputs[0]), references(_lone.data)
_lone.data = np.zeros((2, 2))[0]
LONE["view"] = references(_lone.data.base)
