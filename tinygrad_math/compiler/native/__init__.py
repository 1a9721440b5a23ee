"""Programs without Python in between: `tm.compile(f, backend="native")`.

    assembly    LLVM made ready, and a writer of its language
    machine     the interpreter, which walks a table of instructions; a stretch as a function of Python
    loops       NumPy's inner loops and their addresses, and ours that copy, choose and convert
    ufuncs      loops of ours as NumPy's own kind of function, for eager ops (`compiler.switch`)
    table       an instruction as words: how a loop goes through arrays
    places      where values lie
    instructions, labels     an op as words; cross entropies of labels
    products, stacks         small matrix products of our own, and many of the smallest at once
    forms, tiles, panels     floats and their vectors; what of a product stays in registers; columns side by side
    further, fused           ops that NumPy does in several steps; what programs do in a row, in one loop
    winners                  what belongs to a share of nearly 1
    read_off, followed, written     forms read off an op's own function: its steps, and these as words
    picking                  reading and adding at positions along an axis
    called                   what has no native form, in a loop that has one
    lower, repeats, chains   what a program becomes; a loop whose step is native as a whole; large arrays in blocks
    read_in_steps   what of a carry may be written over, and how what all steps share had better lie
    banks, strips, abreast   what a step computes for each network by itself; some networks at a time; their products
    tensors     a Tensor around a result
    opened      the arrays within arguments, taken out and checked
    stretch     native instructions in a row, what they are called with and what they return
    emit        the program with its stretches as calls, or as one

The interpreter is assembled once in a process; making a program compiles nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.errors import MathError
from ..memory import Plan
from ..program import Program
from .assembly import is_there, lacking, needed
from .emit import NativeEmitter, whole
from .kernels import kernel
from .lower import Lowered
from .machine import is_possible
from .opened import Leaf, opener
from .tensors import fresh, spent


class Native:
    """A program's native form: `make` sets up a workspace and returns the function over it."""

    def __init__(self, program: Program, plan: Plan, threads: int) -> None:
        self.lowered = Lowered(program, plan, threads=threads)
        made = whole(self.lowered)
        self.whole = made is not None  # whether nothing is left to NumPy
        self.text = ""
        self.fresh, self.spent = fresh(), spent()
        if made is not None:
            self.make: Callable[[], Callable[..., Any]] = made
        else:
            source = NativeEmitter(program, plan, threads, self.lowered).emit()
            self.text, self.make = source.text, source.build()

    def opener(self, leaves: Sequence[tuple[Any, ...]]) -> Callable[..., tuple[Any, ...] | None]:
        """Takes the arrays out of arguments like these: the type of data, dtype, shape, whether it is donated."""
        return opener([Leaf(*leaf) for leaf in leaves])

    def emitter(self, program: Program, plan: Plan, threads: int) -> NativeEmitter:
        """Writes the program again, to be timed."""
        return NativeEmitter(program, plan, threads, self.lowered)


def sines_are_quick() -> bool:
    """Whether a sine and a cosine are loops of ours, which are quicker than what NumPy makes of one tangent."""
    return None not in (kernel("sin", np.dtype(float)), kernel("cos", np.dtype(float)))


def available(backend: str) -> str:
    """The backend that this one stands for here; raises where native code is asked for and cannot be made."""
    if backend == "auto":
        return "auto" if is_there() and is_possible() else "numpy"
    needed()
    if not is_possible():
        raise MathError('compile(backend="native") reads objects as CPython with a lock lays them out; this is another')
    return backend


def native(program: Program, plan: Plan, threads: int, backend: str) -> Native | None:
    """The native form of a program; None where it has none, or would gain nothing ("auto")."""
    if backend == "auto" and lacking():
        return None
    found = Native(program, plan, threads)
    worked = [v for v in program.body if found.lowered.words.get(v)]
    rest = sum(not found.lowered.is_native(v) for v in program.body)
    return found if worked and (backend == "native" or len(worked) >= rest) else None
