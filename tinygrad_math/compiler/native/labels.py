"""The mean cross entropy of labels and its slopes: loops of our own that pick by whole numbers.

What is no class, or where none counts, they note in a flag, and the machine stops there: the program is then run again
step by step, and the op itself says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..program import Value
from .assembly import Writer, assemble, llvm, once
from .flags import checked, new_flag
from .loops import Loop
from .places import Place, Places
from .table import loop_words

_WORD = np.dtype(np.int64)
LABELS = 1  # which operand they are


def mean_nll(around: Places, v: Value, out: Place) -> list[int] | None:
    """Words of minus the mean of logs[k, labels[k]], summed in double precision."""
    words: list[int] = []
    logs, labels = (around.taken(i, d, words) for i, d in zip(v.inputs, (v.dtype, _WORD), strict=True))
    if v.dtype.char not in "df" or logs is None or labels is None or len(logs.shape) != 2 or labels.shape[0] == 0:
        return None
    n, classes = logs.shape
    flag = around.own((), _WORD)
    rows = logs._replace(shape=(n,), strides=logs.strides[:1]).over((n,))._replace(core=logs.strides[1:])
    by = Loop(_picker("mean", v.dtype.char), v.params["ignore_index"], (v.dtype, _WORD, v.dtype, _WORD))
    operands = [rows, labels.over((n,)), out.over((n,)), flag.over((n,))]
    return [*words, *loop_words(by, (n,), operands, (classes,)), *_checked(around, flag, v)]


def mean_nll_slopes(around: Places, v: Value, out: Place) -> list[int] | None:
    """Words of the slopes of that in logs: minus one over their number at the labels that count, 0 elsewhere."""
    words: list[int] = []
    labels = around.taken(v.inputs[0], _WORD, words)
    if v.dtype.char not in "df" or labels is None or labels.shape[0] == 0:
        return None
    n, classes = v.shape
    flag = around.own((), _WORD)
    rows = out._replace(shape=(n,), strides=out.strides[:1]).over((n,))._replace(core=out.strides[1:])
    by = Loop(_picker("slopes", v.dtype.char), v.params["ignore_index"], (v.dtype, _WORD, _WORD))
    operands = [rows, labels.over((n,)), flag.over((n,))]
    return [*words, *loop_words(by, (n,), operands, (classes,)), *_checked(around, flag, v)]


def checked_labels(around: Places, v: Value) -> list[int] | None:
    """Words of the labels, with 0 in the place of those to be ignored; in memory of their own."""
    labels, words = around.place(v.inputs[0]), list[int]()
    if labels is None or v.dtype != _WORD or labels.dtype != _WORD or not v.size:
        return None
    out = around.places[v] = around.own(v.shape, _WORD)
    flag = new_flag(around, words)
    by = Loop(_picker("checked", "d"), v.params["ignore_index"], (_WORD,) * 3)
    operands = [out.over(v.shape), labels.over(v.shape), flag.over(v.shape)._replace(core=(0,))]
    words += loop_words(by, v.shape, operands, (v.params["classes"],))
    return words + checked(around, flag, "a label is no class")


def _checked(around: Places, flag: Place, v: Value) -> list[int]:
    """An error where a label was no class, or none counted."""
    return checked(around, flag, f"{v.params['asker']}: a label is no class, or none counts")


@once
def _picker(kind: str, char: str) -> int:
    """The address of one of the two loops, for float64 ("d") or float32 ("f")."""
    ir = llvm().ir
    module = ir.Module(f"labels_{kind}_{char}")
    float_type, size = (ir.DoubleType(), 8) if char == "d" else (ir.FloatType(), 4)
    {"mean": _write_mean, "slopes": _write_slopes, "checked": _write_checked}[kind](module, kind, float_type, size)
    return assemble(module)[kind]


class _Rows:
    """What both loops share: the labels in a row, each of which counts, or does not, or is none."""

    def __init__(self, module: Any, name: str, operands: int) -> None:
        ir = llvm().ir
        self.w = w = Writer(module, name, ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)
        self.byte = ir.IntType(8).as_pointer()
        arguments, dims, self.strides, handed = w.arguments
        self.n, self.classes = w.load(dims, 0), w.load(dims, 1)
        self.ignored = w.b.ptrtoint(handed, w.word)
        self.starts = [w.b.inttoptr(w.load(arguments, k), self.byte) for k in range(operands)]
        self.wrong, self.count = w.variable(w.number(0)), w.variable(w.number(0))

    def at(self, operand: int, offset: Any, kind: Any) -> Any:
        b = self.w.b
        return b.bitcast(b.gep(self.starts[operand], [offset]), kind.as_pointer())

    def each(self, do: Callable[[Any, Any], None]) -> None:
        """Do something for each label that counts: its row and itself."""
        w, b = self.w, self.w.b
        with w.repeat(self.n) as k:
            label = b.load(self.at(LABELS, b.mul(k, w.load(self.strides, LABELS)), w.word))
            counts, skipped, on, good = (w.function.append_basic_block(s) for s in ("counts", "skipped", "on", "good"))
            b.cbranch(b.icmp_signed("==", label, self.ignored), skipped, counts)
            b.position_at_end(counts)
            b.cbranch(b.icmp_unsigned("<", label, self.classes), good, on)
            b.position_at_end(on)
            b.store(w.number(1), self.wrong)
            b.branch(skipped)
            b.position_at_end(good)
            do(k, label)
            b.branch(skipped)
            b.position_at_end(skipped)

    def done(self, flag: int) -> None:
        """Tell in the flag, operand number `flag`, whether a label was wrong, or none counted."""
        w, b = self.w, self.w.b
        none = b.zext(b.icmp_signed("==", b.load(self.count), w.number(0)), w.word)
        b.store(b.or_(b.load(self.wrong), none), self.at(flag, w.number(0), w.word))
        b.ret_void()
        w.done()


def _write_mean(module: Any, name: str, kind: Any, size: int) -> None:
    ir = llvm().ir
    rows = _Rows(module, name, 4)
    w, b, double = rows.w, rows.w.b, ir.DoubleType()
    total = ir.IRBuilder(w.entry).alloca(double)
    b.store(ir.Constant(double, 0.0), total)
    step, across = w.load(rows.strides, 0), w.load(rows.strides, 4)

    def add(k: Any, label: Any) -> None:
        x = b.load(rows.at(0, b.add(b.mul(k, step), b.mul(label, across)), kind))
        b.store(b.fadd(b.load(total), x if size == 8 else b.fpext(x, double)), total)
        w.add(rows.count, w.number(1))

    rows.each(add)
    mean = b.fsub(ir.Constant(double, -0.0), b.fdiv(b.load(total), b.sitofp(b.load(rows.count), double)))
    b.store(mean if size == 8 else b.fptrunc(mean, kind), rows.at(2, w.number(0), kind))
    rows.done(3)


def _write_slopes(module: Any, name: str, kind: Any, size: int) -> None:
    ir = llvm().ir
    rows = _Rows(module, name, 3)
    w, b, double = rows.w, rows.w.b, ir.DoubleType()
    step, across = w.load(rows.strides, 0), w.load(rows.strides, 3)
    with w.repeat(rows.n) as k, w.repeat(rows.classes) as j:
        b.store(ir.Constant(kind, 0.0), rows.at(0, b.add(b.mul(k, step), b.mul(j, across)), kind))
    rows.each(lambda k, label: w.add(rows.count, w.number(1)))
    slope = b.fdiv(ir.Constant(double, -1.0), b.sitofp(b.load(rows.count), double))
    slope = slope if size == 8 else b.fptrunc(slope, kind)

    def put(k: Any, label: Any) -> None:
        b.store(slope, rows.at(0, b.add(b.mul(k, step), b.mul(label, across)), kind))

    rows.each(put)
    rows.done(2)


def _write_checked(module: Any, name: str, kind: Any, size: int) -> None:
    rows = _Rows(module, name, 3)
    w, b = rows.w, rows.w.b
    step = w.load(rows.strides, 0)

    def place(k: Any) -> Any:
        return rows.at(0, b.mul(k, step), w.word)

    with w.repeat(rows.n) as k:
        b.store(w.number(0), place(k))
    rows.each(lambda k, label: b.store(label, place(k)))
    flag = rows.at(2, w.number(0), w.word)
    b.store(b.or_(b.load(flag), b.load(rows.wrong)), flag)
    b.ret_void()
    w.done()
