"""Assignment moves a Tensor to a new value: what was computed from the old one keeps the old one."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any, Never, cast

import numpy as np

from .arguments import of_tensor, refuse_words
from .conversion import node_of
from .errors import ArgumentError, DTypeError, NotALeaf, ShapeError, TraceError, describe
from .leaving import Leaving
from .mode import MODE, Mode, tell, under, watcher
from .node import DIFFERENTIABLE, TRACED, TRANSFORMED, Node
from .op import Op, rec
from .parts import ASSIGNMENT, METHOD, Parts, references
from .past import overwrite

if TYPE_CHECKING:
    from .tensor import Tensor

_Array = np.ndarray


class Assignment(Leaving, Parts):
    """Reading and writing parts, and operators in place."""

    __slots__ = ()
    if TYPE_CHECKING:
        _record: Callable[..., Any]

        def _replace(self, array: Any) -> None: ...

    def __getitem__(self, index: Any) -> Tensor:
        if index.__class__ is slice and index.step is not None:
            self._refuse_blocks(index, sys._getframe(1))
        part = rec.getitem(self, index)
        data, op = part.node.data, self.node.op
        if data.__class__ is not _Array:
            part._item = True
        elif op is not None and op.writes and data.base is not None and data.size * 8 <= data.base.size:
            part.node.data = data.copy("K")  # a view would keep the next assignment from writing in place
        return part  # type: ignore[no-any-return]

    def _refuse_blocks(self, index: slice, frame: FrameType) -> None:
        """Raise where pandas takes rows for columns: it does so with what is no array of NumPy's."""
        if frame.f_globals.get("__name__") != "pandas.core.internals.managers" or len(self.shape) < 2:
            return
        rows = len(range(*index.indices(self.shape[0])))
        if rows < self.shape[0]:
            raise ShapeError(
                f"pandas takes the first {rows} rows of this tensor for its columns, {describe(self)}, and would "
                "repeat them: DataFrame.where and mask do so with all but NumPy's arrays. Give them x.detach().numpy()"
            )

    def __setitem__(self, index: Any, value: Any) -> None:
        count = references(self)
        self._refuse_lost(count, ASSIGNMENT)
        self._refuse_row()
        rec.setitem_(self, index, value)

    def __delitem__(self, index: Any) -> None:
        raise ArgumentError(
            f"elements of a tensor cannot be deleted; x = tm.delete(x, {describe(index)}, axis=0) leaves them out"
        )

    def _is_number(self) -> bool:
        """Whether `x += v` makes a new value, as for NumPy's scalars: a 0-d result may have other names and places.

        What was made by tensor(), a gradient, and a leaf that requires one are arrays, and change in place.
        """
        return not self.shape and not hasattr(self, "_grad")

    @of_tensor
    def sort(
        self,
        axis: int = -1,
        kind: Any = None,
        *,
        descending: bool = False,
        stable: bool | None = True,
        **words: Never,
    ) -> None:
        """Sort in place, as NumPy's method does; `tm.sort(x)` gives a sorted copy."""
        if words:
            refuse_words(Assignment.sort, words)
        count = references(self)
        self._refuse_lost(count, METHOD)
        self._refuse_row()
        self._become(rec.sort(self, axis=axis, kind=kind, descending=descending, stable=stable))

    def _become(self: Any, result: Tensor) -> Tensor:
        """Take on a new value: what was computed from the old one keeps the old one."""
        old, new = self.node.data, result.node.data
        mode = MODE.get()
        recording = mode is None or mode.differentiable
        leaf = self.node.op is None and not self.node.live & TRANSFORMED
        if leaf and recording and self.requires_grad:
            raise NotALeaf(
                f"{self.name or 'a leaf'} {describe(self)} requires a gradient, and its .grad would be that of values "
                "that it no longer holds. Assign `with tm.no_grad():`, or to a result: y = x.copy()."
            )
        if not (leaf or recording):
            self._keep_history()
        if new.shape != old.shape:
            raise ShapeError(f"an in-place result of shape {new.shape} does not fit shape {old.shape}")
        if new.dtype != old.dtype:
            if not np.can_cast(result.dtype, self.dtype, "same_kind"):
                raise DTypeError(
                    f"an in-place result of {result.dtype} cannot be kept in {self.dtype}; write x = x + v"
                )
            result = rec.astype(result, self.dtype)
        traced = result.node.live & TRACED
        if traced and leaf and self.node.live & DIFFERENTIABLE:
            raise TraceError(
                f"{self.name or 'a leaf'} {describe(self)} lives outside of the function that is being traced, and "
                "would take on a value at the first call only; return the new value"
            )
        written = getattr(watcher(), "written", None) if traced else None
        if written is not None:
            written(self, result.node)
        if traced and not recording and self.node.live & TRACED and self.node not in getattr(watcher(), "stopped", ()):
            result = under(Mode(True, watcher(), mode), rec.overwritten, result, self)
        if leaf and not recording and not traced:
            self._replace(result.node.data)
        else:
            self.node = result.node
        return cast("Tensor", self)

    def _keep_history(self) -> None:
        """Raise where a write under no_grad would make a constant of a result, or of a transform's argument."""
        node = self.node
        if node.live & DIFFERENTIABLE:
            result = node.op is not None and node.op.name != "alias"
            what = f"the result of {node.op.name}" if result and node.op else "what a transform differentiates"
            raise NotALeaf(
                f"{self.name or describe(self)} is {what}, and a write to it under no_grad would make a constant of "
                "all of it. Write to y = x.detach().copy(), or outside of no_grad the constant: x[i] = v.detach()."
            )

    def _write(self: Any, op: Op, args: tuple[Any, ...], params: Mapping[str, Any], index: Any, put: Any) -> None:
        """Take on `op` of this tensor, a value and the arrays of an index; `put(array, value)` does it in place."""
        mode, node = MODE.get(), self.node
        inputs = tuple(map(node_of, args))
        live = 0
        for i in inputs:
            live |= i.live
        recording = mode is None or mode.differentiable
        leaf = node.op is None and not node.live & TRANSFORMED
        if not (leaf or recording):
            self._keep_history()
        done = None
        if not (live & TRACED or (mode is not None and mode.observe is not None) or (leaf and recording and node.live)):
            value = inputs[1]
            if type(value) is Node and getattr(value.data, "base", None) is node.data:
                value.data = value.data.copy("K")
            done = overwrite(node, index, lambda array: put(array, value.data))
        if done is None:
            self._become(self._record(op, args, params))
        elif leaf and not recording:
            self._replace(done.held)
        else:
            new = Node(done.held, op, inputs, params, live) if live and recording else Node(done.held)
            if mode is not None:
                tell(new, op, inputs, params)
            new.version = weakref.ref(done)
            self.node = new
