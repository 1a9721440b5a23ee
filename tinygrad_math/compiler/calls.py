"""How each op is written down as a NumPy call: the table that the emitter reads.

A writer is given the instruction, the text of its inputs and the text of the buffer to write into (None for
a fresh result), and returns the call, or None to leave it to the op's own plain function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.squares import least_root
from ..ops.exponential import LOST
from .program import Value, is_foreign

Writer = Callable[[Value, list[str], str | None], str | None]
WRITERS: dict[str, Writer] = {}
VIEWS: set[str] = set()  # ops that are written as a view of their argument
INTO: set[str] = set()  # ops, beside the ufuncs, that can write into a buffer

SPREAD, TURNED = 1 << 16, 1 << 20  # bytes of the largest array beside which a row, or a turned array, is copied

_SYMBOLS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_OF_NUMBERS = {  # of two Python numbers in a tenth of the time, where Python raises no error of its own
    "divide": ("{0} / {1}", "{1}"),
    "power": ("{0} ** {1}", "0.0 < {0} <= 1.0 and {1} >= 0.0"),
}
_KEYWORD_ONLY = frozenset({"maximum", "minimum"})  # NumPy warns of a third positional argument


def writer(*names: str, view: bool = False, into: bool = False) -> Callable[[Writer], Writer]:
    def attach(f: Writer) -> Writer:
        for name in names:
            WRITERS[name] = f
        if view:
            VIEWS.update(names)
        if into:
            INTO.update(names)
        return f

    return attach


def call(v: Value, inputs: list[str], out: str | None) -> str | None:
    """The text of this instruction, or None if it has none but the call of its own function."""
    assert v.op is not None
    if v.ufunc is not None:
        return _ufunc(v, inputs, out)
    write = WRITERS.get(v.op.name)
    return write(v, inputs, out) if write is not None else None


def looks_only(v: Value) -> bool:
    """Whether v, a view, is the same view whatever the values are: no check of them that hands its argument on."""
    assert v.op is not None
    return v.title in VIEWS or v.title == "select" or (v.op.kind == "linear" and not is_foreign(v))


def can_write_into(v: Value) -> bool:
    """Whether this instruction can put its result into a given buffer."""
    assert v.op is not None
    if v.shape is None or v.shape == () or v.dtype.kind not in "biufc":
        return False
    if v.ufunc is not None:
        return call(v, ["a"] * len(v.inputs), "out") is not None
    if v.op.into is not None:
        return all(i.shape == v.shape and i.dtype == v.dtype for i in v.inputs)
    return v.op.name in INTO and call(v, ["a"] * len(v.inputs), "out") is not None


def to_spread(v: Value) -> int | None:
    """Which input is better copied over the result first, because it lies otherwise: `y[...] = b; add(x, y, y)`.

    Beside arrays of one shape and order a ufunc runs a single loop; for a row, a column or a turned array it sets up
    an iterator, which fills buffers and takes longer than copying. Larger rows and columns are not worth a copy.
    """
    if not v.elementwise or len(v.inputs) != 2 or len(v.shape) < 2 or v.inputs[0] is v.inputs[1]:
        return None
    if any(i.weak or i.dtype != v.dtype for i in v.inputs):
        return None
    odd = [k for k, i in enumerate(v.inputs) if (i.shape, i.strides) != (v.shape, v.strides)]
    if len(odd) != 1 or v.inputs[odd[0]].size == 1:
        return None
    return odd[0] if v.nbytes <= (TURNED if v.inputs[odd[0]].shape == v.shape else SPREAD) else None


def literal(value: Any) -> str | None:
    """A static parameter as Python text, or None if it has to be handed over as an object."""
    if value is None or value is Ellipsis or isinstance(value, (bool, int, str, bytes)):
        return repr(value)
    if isinstance(value, float):
        return repr(value) if np.isfinite(value) else f"float({str(value)!r})"
    if isinstance(value, (np.integer, np.bool_)):
        return repr(value.item())
    if isinstance(value, slice):
        parts = [literal(p) for p in (value.start, value.stop, value.step)]
        return None if None in parts else f"slice({', '.join(map(str, parts))})"
    if isinstance(value, (tuple, list)):
        inner = [literal(p) for p in value]
        if None in inner:
            return None
        text = ", ".join(map(str, inner))
        return f"[{text}]" if isinstance(value, list) else f"({text},)" if len(inner) == 1 else f"({text})"
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        dtype = np.dtype(value)
        return f"np.dtype({dtype.name!r})" if dtype.kind in "biufc" else None
    return None


def _ufunc(v: Value, inputs: list[str], out: str | None) -> str | None:
    assert v.ufunc is not None
    name = v.ufunc.__name__
    if v.ufunc is not getattr(np, name, None):
        return None
    if v.ufunc is np.matmul:
        return _matmul(v, inputs, out)
    plain = v.shape == () and v.dtype.kind in "fiu" and all(i.dtype == v.dtype or i.weak for i in v.inputs)
    if plain and out is None and v.weak == all(i.weak for i in v.inputs):
        if name in _SYMBOLS and not (name == "divide" and v.weak):  # numbers: an operator costs a tenth of a call
            return f"{inputs[0]} {_SYMBOLS[name]} {inputs[1]}"
        if name == "negative":
            return f"-{inputs[0]}"
    into = "" if out is None else f", out={out}" if name in _KEYWORD_ONLY else f", {out}"
    text = f"{name}({', '.join(inputs)}{into})"
    if not v.weak:
        return text
    text = f"{type(v.example).__name__}({text})"
    if name in _OF_NUMBERS and all(type(i.example) is float for i in v.inputs):
        quick, fits = _OF_NUMBERS[name]
        return f"({quick} if {fits} else {text})".format(*inputs)
    return text


def _matmul(v: Value, inputs: list[str], out: str | None) -> str:
    a, b = v.inputs
    plain = len(a.shape) <= 2 and len(b.shape) <= 2 and v.dtype.char in "fd" and a.dtype == b.dtype
    into = "" if out is None else f", {out}"
    if plain and 1 not in (a.size, b.size):  # the same BLAS call, with less around it; one number it may skip, if 0
        return f"{inputs[0]}.dot({inputs[1]}{into})"
    return f"matmul({', '.join(inputs)}{into})"


def _of_short_rows(v: Value, ufunc: str, x: str, out: str, keep: bool) -> str | None:
    """The largest or smallest elements of many short rows, which NumPy is two to four times quicker to search: the
    places are found first, in very short rows the numbers along the columns of a turned copy."""
    given, axis = v.inputs[0], v.params.get("axis")
    shape = given.shape
    last = axis in (-1, len(shape) - 1, (-1,), (len(shape) - 1,))
    if not last or given.dtype.char not in "df" or not given.example.flags.c_contiguous:
        return None
    n, rows = shape[-1], v.size
    if len(shape) == 2 and 1 < n < 8 and 64 <= rows <= 1024:
        return f"{ufunc}.reduce({x}.T.copy(), 0, None, {f'{out}.T' if keep else out}, {keep})"
    if not (8 <= n <= 300 and rows >= 32):
        return None
    places = f"{x}.reshape(({rows}, {n})).arg{ufunc[:3]}(1) + np.arange(0, {rows * n}, {n})"
    places = places if v.shape == (rows,) else f"({places}).reshape({literal(v.shape)})"
    return f"{x}.reshape(-1).take({places}, None, {out}, 'clip')"


def _reduction(ufunc: str) -> Writer:
    def write(v: Value, inputs: list[str], out: str | None) -> str | None:
        axis, keep, dtype = v.params.get("axis"), v.params.get("keepdims", False), v.params.get("dtype")
        known = {"axis", "keepdims", "dtype", "initial", "where"}
        if set(v.params) - known or any(v.params.get(k) is not None for k in ("initial", "where")):
            return None
        if ufunc == "add" and v.dtype != v.inputs[0].dtype and dtype is None and v.inputs[0].dtype.kind not in "biu":
            return None
        dtype_text, axis_text = literal(np.dtype(dtype) if dtype is not None else None), literal(axis)
        if dtype_text is None or axis_text is None or v.inputs[0].weak:
            return None
        if out is not None and ufunc in _KEYWORD_ONLY and dtype is None:
            found = _of_short_rows(v, ufunc, inputs[0], out, bool(keep))
            if found is not None:
                return found
        return f"{ufunc}.reduce({inputs[0]}, {axis_text}, {dtype_text}, {out}, {bool(keep)})"

    return write


for _name, _u in {"sum": "add", "prod": "multiply", "any": "logical_or", "all": "logical_and"}.items():
    writer(_name, into=True)(_reduction(_u))
for _name, _u in {"max": "maximum", "amax": "maximum", "min": "minimum", "amin": "minimum"}.items():
    writer(_name, into=True)(_reduction(_u))


@writer("transpose", "permute_dims", view=True)
def _(v: Value, inputs: list[str], out: str | None) -> str | None:
    axes = v.params.get("axes")
    text = inputs[0]
    if not _array(v.inputs[0]):
        return None
    return (
        f"{text}.T"
        if axes is None or tuple(axes) == tuple(range(len(v.shape)))[::-1]
        else f"{text}.transpose({literal(tuple(axes))})"
    )


@writer("matrix_transpose", view=True)
def _(v: Value, inputs: list[str], out: str | None) -> str | None:
    return (f"{inputs[0]}.T" if len(v.shape) == 2 else f"{inputs[0]}.swapaxes(-1, -2)") if _array(v.inputs[0]) else None


@writer("reshape", "expand_dims", "squeeze", "ravel", "flatten", "unsqueeze", view=True)
def _(v: Value, inputs: list[str], out: str | None) -> str | None:
    if v.params.get("order", "C") != "C":
        return None
    return f"{inputs[0]}.reshape({literal(v.shape)})" if _array(v.inputs[0]) else None


@writer("broadcast_to", view=True)
def _(v: Value, inputs: list[str], out: str | None) -> str | None:
    return f"np.broadcast_to({inputs[0]}, {literal(v.shape)})"


@writer("getitem", view=True)
def _(v: Value, inputs: list[str], out: str | None) -> str | None:
    if len(inputs) != 1 or "key" not in v.params:
        return None
    key = v.params["key"]
    parts = [_index(k) for k in (key if isinstance(key, tuple) else (key,))]
    while len(parts) > 1 and parts[-1] == ":" and "..." not in parts:  # after an ellipsis a last axis counts
        parts.pop()
    return None if None in parts or not parts else f"{inputs[0]}[{', '.join(map(str, parts))}]"


def _index(k: Any) -> str | None:
    if isinstance(k, slice):
        start, stop, step = (None if p is None else literal(p) for p in (k.start, k.stop, k.step))
        return f"{start or ''}:{stop or ''}{'' if step is None else f':{step}'}"
    if k is Ellipsis:
        return "..."
    return literal(k) if k is None or (isinstance(k, (int, np.integer)) and not isinstance(k, bool)) else None


@writer("select")
def _(v: Value, inputs: list[str], out: str | None) -> str | None:
    return f"{inputs[0]}[{v.params['index']}]"


@writer("where", into=True)
def _(v: Value, inputs: list[str], out: str | None) -> str | None:
    """Copying in two steps, the second under the mask, is up to seven times faster than `np.where`."""
    condition, a, b = inputs
    if out is None:
        return f"where({', '.join(inputs)})"
    under_mask = f"copyto({out}, {a}, where={condition})"
    return under_mask if b == out else f"{out}[...] = {b}; {under_mask}"


@writer("keep", into=True)
def _(v: Value, inputs: list[str], out: str | None) -> str | None:
    """The bits of x times a truth value (see the op)."""
    x, condition = v.inputs
    if (
        out is None
        or v.dtype.kind != "f"
        or x.dtype != v.dtype
        or x.weak
        or condition.dtype.kind != "b"
        or condition.weak
    ):
        return None
    whole = f"'i{v.dtype.itemsize}'"
    return f"multiply({inputs[0]}.view({whole}), {inputs[1]}, {out}.view({whole}))"


@writer("cosine", into=True)
def _(v: Value, inputs: list[str], out: str | None) -> str | None:
    return f"cosine({', '.join(inputs)}{'' if out is None else f', {out}'})"


@writer("tanh_slope", into=True)
def _(v: Value, inputs: list[str], out: str | None) -> str | None:
    """1 - y^2, and a look at the smallest, as the op's function does in more steps."""
    if out is None or v.dtype.char not in "df" or not v.size or any(i.weak or i.dtype != v.dtype for i in v.inputs):
        return None
    y, x = inputs
    turned = v.strides and v.strides[0] < v.strides[-1]
    flat = f"{out}.T" if turned and "[" not in out else out
    slope = f"multiply({y}, {y}, {out}); subtract(one_{v.dtype.char}, {out}, {out})"
    return f"{slope}; {flat}.item({flat}.argmin()) >= {LOST[v.dtype.char]} or tanh_tail({out}, {x})"


@writer("root_mean_square", into=True)
def _(v: Value, inputs: list[str], out: str | None) -> str | None:
    """The root, and a look at the largest and smallest, as the op's function does in more steps."""
    if out is None or v.dtype.char not in "df" or not v.size or any(i.weak or i.dtype != v.dtype for i in v.inputs):
        return None
    square, x = inputs
    axis, least = literal(v.params["axis"]), v.params["least"]
    low = least_root(v.dtype)
    above = "" if least > low * low else f"{low!r} <= {out}.item({out}.argmin()) and "
    return f"sqrt({square}, {out}); {above}{out}.item({out}.argmax()) < inf or far_root({out}, {x}, {axis}, {least!r})"


@writer("astype", into=True)
def _(v: Value, inputs: list[str], out: str | None) -> str | None:
    if type(v.inputs[0].example) is float and v.dtype.kind == "f" and not v.weak:
        return f"{literal(v.dtype)}.type({inputs[0]})"
    if v.weak or not _array(v.inputs[0]):
        return None
    if out is not None:
        return f"{out}[...] = {inputs[0]}"
    return f"{inputs[0]}.astype({literal(v.dtype)})" if literal(v.dtype) else None


@writer("as_number")
def _(v: Value, inputs: list[str], out: str | None) -> str | None:
    return f"float({inputs[0]})"


@writer("concat", into=True)
def _(v: Value, inputs: list[str], out: str | None) -> str | None:
    return f"concatenate(({', '.join(inputs)},), {literal(v.params.get('axis', 0))}{'' if out is None else f', {out}'})"


@writer("stack")
def _(v: Value, inputs: list[str], out: str | None) -> str | None:
    whole = f", dtype={str(v.dtype)!r}" if any(i.weak for i in v.inputs) else ""  # a number takes on that of the others
    return f"stack(({', '.join(inputs)},), {literal(v.params.get('axis', 0))}{whole})"


@writer("real", view=True)
def _(v: Value, inputs: list[str], out: str | None) -> str | None:
    return f"{inputs[0]}.real" if _array(v.inputs[0]) else None


def _array(v: Value) -> bool:
    """Whether the text of v is an array or a NumPy number, which have methods, and no Python number."""
    return not v.weak
