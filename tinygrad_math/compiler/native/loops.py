"""Inner loops and their addresses: NumPy's and SciPy's own, read out of their ufuncs, and a few of ours that move data.

A ufunc keeps its loops in a public structure of C (numpy/ufuncobject.h), one for each row of dtypes. Ours copy,
choose and convert. A loop is `void loop(char **args, npy_intp const *dims, npy_intp const *strides, void *data)`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .assembly import Writer, assemble, llvm, once
from .kernels import kernel
from .machine import HEAD


class Loop(NamedTuple):
    """The address of a loop, what it is handed as `data`, and the dtypes of its operands."""

    address: int
    data: int
    dtypes: tuple[np.dtype[Any], ...]


class Ufunc(ctypes.Structure):
    """The first fields of PyUFuncObject behind the head of an object."""

    _fields_ = (
        ("nin", ctypes.c_int), ("nout", ctypes.c_int), ("nargs", ctypes.c_int), ("identity", ctypes.c_int),
        ("functions", ctypes.POINTER(ctypes.c_void_p)), ("data", ctypes.POINTER(ctypes.c_void_p)),
        ("ntypes", ctypes.c_int), ("reserved", ctypes.c_int), ("name", ctypes.c_char_p),
        ("types", ctypes.POINTER(ctypes.c_char)),
    )  # fmt: skip


PLAIN = "?bBhHiIlLqQfdFD"  # the dtypes that native code is made for
_BY_NUMBER: dict[int, np.dtype[Any]] = {np.dtype(char).num: np.dtype(char) for char in PLAIN}
_RAISING = {
    "power",
    "float_power",
    "gcd",
    "lcm",
    "ldexp",
}  # of whole numbers: their loops may raise errors, or ask for Python's


# NumPy's loops of these write a few elements only where the results do not lie side by side (NumPy 2.4.6); what our
# loops compare with the bits of infinity
UNWRITTEN = {"isnan": ">", "isinf": "==", "isfinite": "<", "signbit": ""}
MISREAD = frozenset("fdiIlLqQ")  # whose negative NumPy's loop takes from wrong places, some strides apart


@lru_cache(None)
def _rows(ufunc: np.ufunc) -> dict[tuple[Any, ...], tuple[int, int]]:
    """The loops of a ufunc by the dtypes of its operands."""
    c = Ufunc.from_address(id(ufunc) + HEAD)
    found: dict[tuple[Any, ...], tuple[int, int]] = {}
    for k in range(c.ntypes):
        numbers = [ord(c.types[k * c.nargs + j]) for j in range(c.nargs)]
        if all(n in _BY_NUMBER for n in numbers) and c.functions[k]:
            data = c.data[k] if c.data else 0
            found.setdefault(tuple(_BY_NUMBER[n] for n in numbers), (c.functions[k] or 0, data or 0))
    return found


@lru_cache(1024)
def loop(ufunc: np.ufunc, given: tuple[Any, ...]) -> Loop | None:
    """The loop that NumPy would take for operands of these dtypes, and of these types of Python numbers."""
    try:
        dtypes = ufunc.resolve_dtypes((*given, *[None] * ufunc.nout))
    except (TypeError, ValueError):
        return None
    found = _rows(ufunc).get(tuple(dtypes))
    if found is None or (ufunc.__name__ in _RAISING and any(d.kind in "iub" for d in dtypes)):
        return None
    return Loop(*_faster(ufunc, dtypes, found), tuple(dtypes))


def _faster(ufunc: np.ufunc, dtypes: Sequence[Any], found: tuple[int, int]) -> tuple[int, int]:
    """A loop of ours in place of NumPy's, where there is one that is faster on this machine, or where NumPy's leaves
    elements unwritten (see `UNWRITTEN`)."""
    if ufunc.__name__ in UNWRITTEN and dtypes[0].char in "fd":
        return ours(ufunc.__name__, dtypes[0].char), 0
    if ufunc is np.negative and dtypes[0].char in MISREAD:
        return ours("negative", dtypes[0].str), 0
    if all(d == dtypes[0] for d in dtypes):
        own = kernel(ufunc.__name__, dtypes[0])
        if own is not None:
            return own, 0
    return found


def softplus(dtype: np.dtype[Any]) -> Loop | None:
    """log(1 + exp(x)), where a loop of ours is the faster one."""
    ours = kernel("softplus", dtype)
    return None if ours is None else Loop(ours, 0, (dtype, dtype))


# -- loops of ours ----------------------------------------------------------------------------------------------------
@once
def ours(name: str, *kinds: str) -> int:
    """The address of one of the loops below, assembled when it is first asked for."""
    ir = llvm().ir
    module = ir.Module(name)
    title = "_".join((name, *kinds))
    _WRITERS[name](module, title, *kinds)
    return assemble(module, vectors=True)[title]


def run(by: Loop, operands: Sequence[np.ndarray[Any, Any]]) -> None:
    """Run a loop once over arrays of one dimension."""
    word, pointer = ctypes.c_ssize_t, ctypes.c_void_p
    n = len(operands)
    function = ctypes.CFUNCTYPE(None, *[pointer] * 4)(by.address)
    steps = (word * n)(*(x.strides[0] for x in operands))
    function((pointer * n)(*(x.ctypes.data for x in operands)), (word * 1)(operands[0].size), steps, by.data)


def copier(dtype: np.dtype[Any]) -> Loop:
    """The loop that copies elements of this size."""
    return Loop(ours("copy", str(dtype.itemsize)), 0, (dtype, dtype))


def caster(source: np.dtype[Any], target: np.dtype[Any]) -> Loop | None:
    """The loop that converts, as NumPy's assignment does; None where that is not a plain machine instruction.

    A float beyond the range of whole numbers becomes what the processor says, which NumPy leaves open.
    """
    if source == target:
        return copier(source)
    both = source.char + target.char
    if (
        any(char not in PLAIN for char in both)
        or (source.kind in "fc" and target.kind in "iu")
        or source.kind == "c" != target.kind
    ):
        return None
    return Loop(ours("cast", source.str, target.str), 0, (source, target))


def chooser(dtype: np.dtype[Any]) -> Loop:
    """`where` for elements of this size."""
    return Loop(ours("where", str(dtype.itemsize)), 0, (np.dtype(bool), dtype, dtype, dtype))


def keeper(dtype: np.dtype[Any]) -> Loop:
    """The bits of x where the condition holds, 0 elsewhere."""
    return Loop(ours("keep", str(dtype.itemsize)), 0, (dtype, np.dtype(bool), dtype))


def elements(module: Any, title: str, kinds: Sequence[Any], body: Callable[..., Any]) -> None:
    """A loop over elements of these LLVM types, the last of which is written; dense ones are vectorised."""
    ir = llvm().ir
    pointer, byte = ir.IntType(64).as_pointer(), ir.IntType(8).as_pointer()
    w = Writer(module, title, ir.VoidType(), [pointer] * 4)
    b, (arguments, dims, strides, _) = w.b, w.arguments
    n = w.load(dims)
    starts = [b.inttoptr(w.load(arguments, k), byte) for k in range(len(kinds))]
    steps = [w.load(strides, k) for k in range(len(kinds))]
    sizes = [size_of(kind) for kind in kinds]
    dense = ir.Constant(ir.IntType(1), 1)
    for step, size in zip(steps, sizes, strict=True):
        dense = b.and_(dense, b.icmp_signed("==", step, w.number(size)))
    paths = [w.function.append_basic_block(name) for name in ("dense", "strided", "end")]
    b.cbranch(dense, *paths[:2])
    for path, used in zip(paths, ([w.number(s) for s in sizes], steps), strict=False):
        b.position_at_end(path)
        with w.repeat(n) as k:
            places = [
                b.bitcast(b.gep(s, [b.mul(k, step)]), kind.as_pointer())
                for s, step, kind in zip(starts, used, kinds, strict=True)
            ]
            loads = [b.load(p, align=1) for p in places[:-1]]
            b.store(body(b, *loads), places[-1], align=1)
        b.branch(paths[2])
    b.position_at_end(paths[2])
    b.ret_void()
    w.done()


def size_of(kind: Any) -> int:
    ir = llvm().ir
    if isinstance(kind, ir.IntType):
        return int(kind.width) // 8
    if isinstance(kind, ir.LiteralStructType):
        return 2 * size_of(kind.elements[0])
    return 4 if isinstance(kind, ir.FloatType) else 8


def _bits(size: str) -> Any:
    ir = llvm().ir
    return ir.IntType(8 * int(size))


def _copy(module: Any, title: str, size: str) -> None:
    elements(module, title, [_bits(size)] * 2, lambda b, x: x)


def _where(module: Any, title: str, size: str) -> None:
    ir = llvm().ir
    kinds = [ir.IntType(8), *[_bits(size)] * 3]
    elements(module, title, kinds, lambda b, c, x, y: b.select(b.icmp_unsigned("!=", c, ir.Constant(c.type, 0)), x, y))


def _keep(module: Any, title: str, size: str) -> None:
    ir = llvm().ir
    kinds = [_bits(size), ir.IntType(8), _bits(size)]

    def body(b: Any, x: Any, c: Any) -> Any:
        return b.select(b.icmp_unsigned("!=", c, ir.Constant(c.type, 0)), x, ir.Constant(x.type, 0))

    elements(module, title, kinds, body)


def _asked(name: str) -> Callable[[Any, str, str], None]:
    """The writer of one of `UNWRITTEN`, by the bits of the numbers alone: no comparison that a NaN could signal."""

    def write(module: Any, title: str, char: str) -> None:
        ir = llvm().ir
        bits, infinity = (32, 0x7F800000) if char == "f" else (64, 0x7FF0000000000000)
        word, byte = ir.IntType(bits), ir.IntType(8)

        def body(b: Any, x: Any) -> Any:
            if name == "signbit":
                return b.trunc(b.lshr(x, ir.Constant(word, bits - 1)), byte)
            size = b.and_(x, ir.Constant(word, (1 << (bits - 1)) - 1))
            return b.zext(b.icmp_unsigned(UNWRITTEN[name], size, ir.Constant(word, infinity)), byte)

        elements(module, title, [word, byte], body)

    return write


def _negative(module: Any, title: str, kind: str) -> None:
    """Floats with the bit of their sign turned; whole numbers from 0."""
    ir, dtype = llvm().ir, np.dtype(kind)
    word = ir.IntType(8 * dtype.itemsize)

    def body(b: Any, x: Any) -> Any:
        if dtype.kind == "f":
            return b.xor(x, ir.Constant(word, 1 << (word.width - 1)))
        return b.sub(ir.Constant(word, 0), x)

    elements(module, title, [word, word], body)


def machine_type(dtype: np.dtype[Any]) -> Any:
    ir = llvm().ir
    if dtype.kind == "f":
        return ir.FloatType() if dtype.itemsize == 4 else ir.DoubleType()
    if dtype.kind == "c":
        return ir.LiteralStructType([ir.FloatType() if dtype.itemsize == 8 else ir.DoubleType()] * 2)
    return ir.IntType(8 * dtype.itemsize)


def _cast(module: Any, title: str, source: str, target: str) -> None:
    ir = llvm().ir
    one, other = np.dtype(source), np.dtype(target)
    kinds = [machine_type(one), machine_type(other)]

    def real(b: Any, x: Any, to: Any, signed: bool) -> Any:
        """A float or a whole number as a float."""
        if isinstance(x.type, ir.IntType):
            return (b.sitofp if signed else b.uitofp)(x, to)
        if x.type == to:
            return x
        return b.fpext(x, to) if isinstance(to, ir.DoubleType) else b.fptrunc(x, to)

    def true(b: Any, x: Any) -> Any:
        if isinstance(x.type, ir.IntType):
            return b.icmp_unsigned("!=", x, ir.Constant(x.type, 0))
        return b.fcmp_unordered("!=", x, ir.Constant(x.type, 0.0))

    def body(b: Any, x: Any) -> Any:
        to = kinds[1]
        if other.kind == "c":
            parts = [b.extract_value(x, k) for k in (0, 1)] if one.kind == "c" else [x]
            inner = to.elements[0]
            y: Any = ir.Constant(to, ir.Undefined)
            for k in (0, 1):
                part = real(b, parts[k], inner, one.kind == "i") if k < len(parts) else ir.Constant(inner, 0.0)
                y = b.insert_value(y, part, k)
            return y
        if other.kind == "b":
            if one.kind == "c":
                either = b.or_(*(true(b, b.extract_value(x, k)) for k in (0, 1)))
                return b.zext(either, to)
            return b.zext(true(b, x), to)
        if other.kind == "f":
            return real(b, x, to, one.kind == "i")
        if x.type.width == to.width:
            return x
        if x.type.width > to.width:
            return b.trunc(x, to)
        return (b.sext if one.kind == "i" else b.zext)(x, to)

    elements(module, title, kinds, body)


_WRITERS: dict[str, Callable[..., None]] = {
    "copy": _copy,
    "where": _where,
    "keep": _keep,
    "cast": _cast,
    "negative": _negative,
    **{name: _asked(name) for name in UNWRITTEN},
}
