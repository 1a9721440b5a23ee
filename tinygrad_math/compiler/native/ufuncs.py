"""NumPy's own kind of function around loops of ours: what `np.tanh` is, with other loops for float64 and float32.

PyUFunc_FromFuncAndData of NumPy's C interface makes them. So casts, `out`, `where`, strides, overlaps, threads and
errors are NumPy's: it calls the loops, whosever they are, and reads the processor's flags afterwards.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .assembly import once
from .kernels.choice import DTYPES, Theirs, checked
from .loops import Ufunc
from .machine import HEAD, of_numpy

_FROM_FUNC_AND_DATA, _NO_IDENTITY = 1, -1  # the place of PyUFunc_FromFuncAndData in `_UFUNC_API`; PyUFunc_None
_kept: list[Any] = []  # the tables, which NumPy goes on to read


class _Row(NamedTuple):
    """A loop: its address, its data, and the numbers of the dtypes of its operands."""

    address: int
    data: int
    kinds: tuple[int, ...]


def numpys(name: str) -> np.ufunc:
    """The ufunc of NumPy or SciPy that computes one of `NAMES`; of softplus, logaddexp."""
    if name in ("erf", "expit"):
        import scipy.special

        return getattr(scipy.special, name)  # type: ignore[no-any-return]
    found: np.ufunc = np.logaddexp if name == "softplus" else getattr(np, name)
    return found


@once
def faster(name: str) -> np.ufunc | None:
    """The function of one of `NAMES` with our loops where they are the faster ones here; None if that is nowhere.

    Where NumPy's function has further dtypes, this one has them too, with NumPy's loops; those that are not NumPy's
    (erf, expit, softplus) are for the dtypes of our loops alone.
    """
    theirs = numpys(name)
    rows, ours = _rows(theirs), {}
    for dtype in map(np.dtype, DTYPES):
        k = next((k for k, row in enumerate(rows) if set(row.kinds) == {dtype.num}), None)
        if k is not None:
            address = checked(name, dtype, Theirs(rows[k].address, rows[k].data, theirs.nin == 2))
            if address is not None:
                ours[k] = _Row(address, 0, (dtype.num, dtype.num))
    if getattr(np, name, None) is theirs:
        return _made(name, [ours.get(k, row) for k, row in enumerate(rows)]) if ours else None
    return _made(theirs.__name__, list(ours.values())) if ours else None


@once
def fused(name: str) -> np.ufunc | None:
    """A function of several arguments of kernels.fused, for float64 and float32; None where there are no loops."""
    rows = []
    for dtype in map(np.dtype, DTYPES):
        address = checked(name, dtype, None)
        if address is None:
            return None
        rows.append(_Row(address, 0, (dtype.num,) * (INPUTS[name] + 1)))
    return _made(name, rows)


INPUTS = {"sigmoid_slope": 2, "tanh_slope": 2, "times_sigmoid_slope": 3, "times_tanh_slope": 3}


def _rows(ufunc: np.ufunc) -> list[_Row]:
    c = Ufunc.from_address(id(ufunc) + HEAD)
    n = c.nargs
    return [
        _Row(c.functions[k] or 0, (c.data[k] or 0) if c.data else 0, tuple(c.types[k * n : k * n + n]))
        for k in range(c.ntypes)
    ]


def _made(name: str, rows: Sequence[_Row]) -> np.ufunc:
    """A ufunc with one result, of these loops."""
    n, inputs = len(rows), len(rows[0].kinds) - 1
    pointer = ctypes.c_void_p
    functions, data = (pointer * n)(*(r.address for r in rows)), (pointer * n)(*(r.data for r in rows))
    types = ctypes.create_string_buffer(bytes(k for r in rows for k in r.kinds))
    title = ctypes.create_string_buffer(name.encode())
    _kept.append((functions, data, types, title))
    kinds = [pointer, pointer, pointer, *[ctypes.c_int] * 4, pointer, pointer, ctypes.c_int]
    make = ctypes.PYFUNCTYPE(ctypes.py_object, *kinds)(of_numpy(_FROM_FUNC_AND_DATA, "_UFUNC_API"))
    return make(functions, data, types, n, inputs, 1, _NO_IDENTITY, title, None, 0)  # type: ignore[no-any-return]
