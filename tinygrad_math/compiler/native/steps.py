"""Ufuncs one after another, over arrays of the program's own in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..program import Value
from .instructions import Instructions
from .loops import Loop, chooser, loop
from .places import Place, c_strides
from .table import loop_words


class Steps:
    """Gathers the words of each step, and says where its result lies."""

    def __init__(self, around: Instructions, words: list[int]) -> None:
        self.around, self.words = around, words

    def own(self, shape: tuple[int, ...], dtype: Any) -> Place:
        """An array for a result."""
        return self.around.own(shape, dtype)

    def number(self, n: Any, dtype: Any) -> Place:
        """A known number."""
        found = self.around.number(n, np.dtype(dtype))
        assert found is not None
        return found

    def of(self, ufunc: np.ufunc, *given: Place, out: Place | None = None) -> Place:
        """A ufunc of arrays in NumPy's dtype."""
        by = loop(ufunc, tuple(p.dtype for p in given))
        assert by is not None, ufunc
        places = [self.cast(p, d) for p, d in zip(given, by.dtypes, strict=False)]
        return self.run(by, places, np.broadcast_shapes(*(p.shape for p in places)), out)

    def run(self, by: Loop, given: Sequence[Place], shape: tuple[int, ...], out: Place | None = None) -> Place:
        """A loop over arrays of this shape."""
        out = self._target(shape, given, by.dtypes[-1]) if out is None else out
        self.words += loop_words(by, out.shape, [p.over(out.shape) for p in (*given, out)])
        return out

    def cast(self, p: Place, dtype: Any, out: Place | None = None) -> Place:
        """The same in another dtype, or in another place."""
        if p.dtype == dtype and out is None:
            return p
        out = self._target(p.shape, [p], np.dtype(dtype)) if out is None else out
        moved = self.around.moved(p, out, out.shape)
        assert moved is not None
        self.words += moved
        return out

    def where(self, condition: Place, one: Place, other: Place, out: Place | None = None) -> Place:
        """The one where the condition holds, and else the other."""
        places = condition, one, other
        return self.run(chooser(one.dtype), places, np.broadcast_shapes(*(p.shape for p in places)), out)

    def total(self, v: Value, p: Place, along: set[int], keepdims: bool, u: np.ufunc = np.add) -> Place:
        """All elements along some axes in one, for v."""
        kept = [1 if k in along else n for k, n in enumerate(p.shape)]
        shape = kept if keepdims else [n for k, n in enumerate(p.shape) if k not in along]
        out = self.own(tuple(shape), p.dtype)
        words = self.around.reduced(v, u, p, out, along, keepdims)
        assert words is not None
        self.words += words
        return out

    def _target(self, shape: tuple[int, ...], given: Sequence[Place], dtype: Any) -> Place:
        """A new array, which lies as the first one that is as large does, as with NumPy."""
        whole = self.own(shape, dtype)
        like = next((p for p in given if p.shape == shape), whole)
        axes = sorted(range(len(shape)), key=lambda k: -abs(like.strides[k]))
        steps = c_strides([shape[k] for k in axes], whole.dtype.itemsize)
        return whole._replace(strides=tuple(steps[axes.index(k)] for k in range(len(shape))))
