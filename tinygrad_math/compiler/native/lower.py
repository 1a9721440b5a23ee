"""What a program becomes for the machine: for each instruction that has a native form its words.

Instructions without a native form stay calls of NumPy.
"""

from __future__ import annotations

import numpy as np

from ...core.op import registry
from ..blocks import Chain
from ..calls import VIEWS, call, looks_only
from ..memory import Plan
from ..memory import plan as plan_of
from ..passes.loops import Repeated
from ..program import Program, Value
from .called import Called
from .chains import THREADS, Blocks
from .further import OWN, elementwise, special
from .instructions import LEFT, WRITERS, Instructions
from .kernels import kernel
from .labels import checked_labels
from .loops import PLAIN
from .machine import CALL
from .places import FAR, Place, is_known
from .read_off import read_off
from .repeats import Rounds
from .strips import Strips


class Lowered(Instructions):
    """A program's table in pieces, one for each native instruction, and the places of its values.

    `within` is the program in whose loop this one is a step.
    """

    def __init__(self, program: Program, plan: Plan, within: Lowered | None = None, threads: int = 1) -> None:
        super().__init__(plan, within)
        self.threads = threads
        self.program = program
        self.slots: dict[Value, int] = {}  # of roots that have a place in `scratch`, if they are no objects
        self.parts: dict[Value, list[Value]] = {}  # loop -> what is taken out of its results
        self.joined = plan.joined()
        self.chained = {v: chain for chain in plan.chains for v in chain.members}
        self.blocks: dict[Value, list[Value]] = {}  # the first of a chain that is native -> all of it
        if within is None:
            self.lower()

    def lower(self) -> None:
        self.users = self.program.users()
        called: list[Value] = []
        for v in self.program.body:
            if v in self.chained:
                words = self._chain(self.chained[v], v)
            elif self._is_plain(v):
                words = self._words(v)
                if words is None and self.is_step:
                    words = self._called(v)
                    called += [v] if words is not None else []
            else:
                words = self._parts(v)
            if words is None:
                self.latest = None  # NumPy's line may write where what was made before had its operands
            else:
                self.words[v] = words
                self.latest = v if words else self.latest
        if len(called) * FOR_A_CALL > len(self.words):
            for v in called:  # the step had better be one of NumPy as a whole
                del self.words[v]
        self.outside = self._read_outside()
        for v in self.words:
            if v in self.cells and (v.shape == () or v not in self.outside):
                self.slots[v] = self.memory.room(v.nbytes)

    def _read_outside(self) -> set[Value]:
        """The roots that lines of NumPy read, or that are returned."""
        lines = [v for v in self.program.body if not self.is_native(v)]
        read = [*(i for v in lines for i in v.inputs), *self.program.results]
        return {self.plan.root[i] for i in read if i in self.plan.root}

    def _is_plain(self, v: Value) -> bool:
        """Whether v and all that it reads are arrays and numbers that the machine knows."""
        if v.shape is None or v.dtype.char not in PLAIN or not v.dtype.isnative or getattr(v.op, "random", False):
            return False
        if v.title == "select" or (v.weak and type(v.example) is not float and not self._counts(v)):
            return False
        return all(
            i.shape is not None and i.dtype.char in PLAIN and i.dtype.isnative
            and (not i.weak or i.constant or type(i.example) is float or i in self.counters)
            for i in v.inputs
        )  # fmt: skip

    def _counts(self, v: Value) -> bool:
        """Whether v is a whole number made of that of a step, which has been found to fit into 64 bits."""
        if v in self.counters:
            return True
        whole = [i.constant and i.weak and type(i.example) is int for i in v.inputs]
        if type(v.example) is not int or v.title not in _WHOLE or all(whole):
            return False
        if not all(known or i in self.counters for known, i in zip(whole, v.inputs, strict=True)):
            return False
        self.counters.add(v)
        self.places[v] = self.own((), np.dtype(np.int64))
        return True

    def _chain(self, chain: Chain, v: Value) -> list[int] | None:
        """The words of a chain, all of which are those of its first member."""
        first = chain.members[0]
        if v is not first:
            return [] if first in self.blocks else None
        made = {self.plan.root[r] for r in self.program.results}  # which have arrays of their own
        far = any(u.nbytes > FAR and self.plan.kind_of(u) == "fresh" and u not in made for u in chain.outputs())
        ours = any(u.ufunc is not None and kernel(u.ufunc.__name__, u.dtype) for u in chain.members)
        if far or chain.threads(self.threads) > (THREADS if ours else 1) or not all(map(self._is_plain, chain.members)):
            return None
        words = Blocks(self, chain).words()
        if words is not None:
            self.blocks[first] = chain.members
        return words

    def _words(self, v: Value) -> list[int] | None:
        kind = self.plan.kind_of(v)
        root = self.plan.root[v]
        if v in self.joined:
            return []
        if v.title == "checked_labels" and self.is_step:  # which NumPy hands on where none is to be ignored
            return checked_labels(self, v)
        if root is not v:
            if v.title == "gather" and self.is_step and v.nbytes <= FAR:  # of a number: a part of x, to NumPy
                own_place = self.places[v] = self.own(v.shape, v.dtype)
                return OWN["gather"](self, v, own_place)
            if not looks_only(v):
                return None
            return self._copied_view(v) if self.place(v) is None else []
        out = self.place(v)
        if v.title == "broadcast_to" and kind == "fresh" and v.nbytes <= FAR:
            out = out or self.written_out(v)
            given = self.place(v.inputs[0])
            return None if out is None or given is None else self.moved(given, out, out.shape)
        if out is None or (kind == "fresh" and (v.nbytes > FAR or any(s < 0 for s in out.strides))):
            return None
        if v.elementwise:
            paired = None if self.latest in self.blocks else self._paired(v, out)
            return paired or self._elementwise(v, out)
        if v.ufunc is np.matmul:
            return self._matmul(v, out)
        words = self._of_several(v, out)
        return read_off(self, v, out) if words is None else words

    def _of_several(self, v: Value, out: Place) -> list[int] | None:
        """The words of what is no ufunc of NumPy's, and has a form that was written for it."""
        own = OWN.get(v.title)
        if own is not None:
            return own(self, v, out)
        ufunc = special(v)
        if ufunc is not None:
            return elementwise(self, v, out, ufunc)
        written = call(v, ["x"] * len(v.inputs), "out" if v.shape else None) is not None
        write = WRITERS.get(v.title)
        if v.title in VIEWS and written:  # whose example is a copy
            return self._copy(v.inputs[0], v, out)
        return None if write is None or not (written or v.title in LEFT) else write(self, v, out)

    def _called(self, v: Value) -> list[int] | None:
        """A call of the op's own function, which lets a loop be native that has a few such."""
        if v.op is None or registry.get(v.op.name) is not v.op:
            return None
        given = [None if i.constant else self.place(i) for i in v.inputs]
        if any(p is None and not i.constant for i, p in zip(v.inputs, given, strict=True)):
            return None
        if self.plan.root[v] is not v:  # it may hand on what it reads
            self.places[v] = self.own(v.shape, v.dtype)
        out = self.place(v)
        if out is None or v.nbytes > FAR:
            return None
        cell = self.memory.cell()
        self.memory.calls.append((cell, Called(v, given, out)))
        return [0, CALL, 4, cell]

    def _parts(self, v: Value) -> list[int] | None:
        """A loop, and what is taken out of its results."""
        if v.title == "select":
            return [] if self.is_native(v.inputs[0]) else None
        if not isinstance(v.op, Repeated):
            return None
        parts = {u.params["index"]: u for u in self.program.body if u.title == "select" and u.inputs[0] is v}
        words = self._repeated(v, v.op, parts)
        if words is not None:
            self.parts[v] = list(parts.values())
        return words

    def _repeated(self, v: Value, op: Repeated, parts: dict[int, Value]) -> list[int] | None:
        """The words of a loop."""
        how = op.how
        if op.random or (how.length is None and (how.rows or len(op.step.results) > how.carries)):
            return None
        if not all(is_known(u) for u in (*parts.values(), *op.step.results)):
            return None
        plan = plan_of(op.step)
        banked = Strips(self, v, op, parts, lambda step: Lowered(step, plan_of(step), self)).words(plan.size)
        if banked is not None:
            return banked
        inner = Lowered(op.step, plan, self)
        asked = None if op.condition is None else Lowered(op.condition, plan_of(op.condition), self)
        return Rounds(self, inner, how, op.step, op.condition, asked).words(v.inputs, parts)


FOR_A_CALL = 4  # instructions in a step for each that calls Python
_WHOLE = frozenset({"add", "subtract", "multiply", "negative"})  # what makes whole numbers of such, without an error
