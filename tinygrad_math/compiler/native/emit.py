"""Print a program with its native stretches as calls; of one that is native as a whole, the function is the stretch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..blocks import Chain
from ..emit import Emitter
from ..lines import title_of_value
from ..memory import Plan
from ..packing import ALIGNMENT
from ..program import Program, Value
from .loops import copier
from .lower import Lowered
from .places import Place
from .stretch import Result, Stretch, Workspaces, given, result
from .table import loop_words


class NativeEmitter(Emitter):
    """Writes one program down: what is native as calls of stretches, the rest as NumPy."""

    def __init__(self, program: Program, plan: Plan, threads: int, lowered: Lowered) -> None:
        super().__init__(program, plan, threads)
        self.lowered = lowered
        self.workspaces = Workspaces(lowered)
        self.pending: list[Value] = []  # native instructions that are not written yet
        self.dead: list[str] = []  # lines that let go of what these still read
        self.calls: list[str] = []  # the names of the stretches
        self.maker = self._bind(self.names.new("workspaces"), self.workspaces)
        self.head = len(self.setup)
        self.setup.append("")

    # -- what the lines of NumPy read -------------------------------------------------------------------------------
    def _read(self, v: Value, user: Value | None = None) -> str:
        if v not in self.text and self.lowered.is_native(v):
            self._show(v)
        return super()._read(v, user)

    def _show(self, v: Value) -> None:
        """A name in Python for what a stretch has made."""
        kind = self.plan.kind_of(v)
        if self.plan.root[v] is not v:
            super()._instruction(v)
        elif kind == "donated":
            self.text[v] = self._read(self.plan.shared[v])
        else:
            assert kind == "buffer", kind
            self._buffer(v, self._name(v, title_of_value(v)))

    def _instruction(self, v: Value) -> None:
        if self.lowered.is_native(v):
            if v.title == "select":
                return  # it came with its loop
            self.pending += [v, *self.lowered.parts.get(v, ())]
            if self.marks is not None:
                self._flush()
        else:
            self._flush()
            super()._instruction(v)

    def _chain(self, chain: Chain) -> None:
        if chain.members[0] in self.lowered.blocks:
            self.pending += chain.members
            if self.marks is not None:
                self._flush()
        else:
            self._flush()
            super()._chain(chain)

    def _forget(self, name: str) -> None:
        if self.pending:
            self.dead.append(f"del {name}")
        else:
            super()._forget(name)

    def _result(self, k: int, r: Value) -> str:
        self._flush()
        return super()._result(k, r)

    def _flush(self) -> None:
        """The call of a stretch."""
        values, self.pending = self.pending, []
        words = [w for v in values for w in self.lowered.words[v]]
        made = [v for v in values if v in self.lowered.outside and self.plan.kind.get(v) in ("fresh", "number")]
        if words or made:
            inputs = self._inputs(values)
            results = [result(v, place) for v in made if (place := self.lowered.place(v)) is not None]
            written = {self.plan.shared[v] for v in values if self.plan.root[v] is v and self.plan.kind[v] == "donated"}
            name = self.names.new("native")
            self.workspaces.stretches.append(Stretch(self.lowered, words, inputs, results, written))
            self.calls.append(name)
            self.setup[self.head] = f"{', '.join(self.calls)}, = {self.maker}({'space' if self.plan.size else None})"
            call = f"{name}({', '.join(self._read(v) for v in inputs)})"
            names = [self._name(v, title_of_value(v)) for _, v, _ in results]
            text = f"{', '.join(names)}, = {call}" if names else call
            within = self.lowered.within
            blocks = self.lowered.blocks
            done = [u for v in values if self.lowered.words[v] or v in made for u in blocks.get(v, [v])]
            done = list(dict.fromkeys(done))
            worked = [u for v in done for u in ((within[v], v) if v in within else (v,))]
            note = f"{len(worked)} instructions: {', '.join(dict.fromkeys(v.said for v in worked))}"
            self.lines.append(self._commented(text, note))
            self._mark(worked)
        self.lines += self.dead
        self.dead = []

    def _inputs(self, values: list[Value]) -> list[Value]:
        """The arrays and numbers from outside that these read or write, whose addresses the call tells."""
        lowered, plan = self.lowered, self.plan
        made = set(values)
        found: dict[Value, None] = {}
        for v in values:
            if not lowered.words[v]:
                continue
            all_of_it = lowered.blocks.get(v, [v])
            read = [i for u in all_of_it for i in u.inputs]
            read += [*(lowered.within[v].inputs if v in lowered.within else ())]
            read += [plan.shared[u] for u in all_of_it if plan.kind.get(u) == "donated"]
            for i in read:
                if i.constant:
                    continue
                root = plan.root[i]
                if plan.kind.get(root) == "donated":
                    root = _donated(plan, root)
                if root in lowered.cells and root not in made and not (lowered.is_native(root)):
                    found[root] = None
        return list(found)


def whole(lowered: Lowered) -> Callable[[], Callable[..., Any]] | None:
    """`make` of a program that is native from its arguments to its results: each call of it sets up a workspace."""
    program, plan = lowered.program, lowered.plan
    if not all(map(lowered.is_native, program.body)):
        return None
    words = [w for v in program.body for w in lowered.words[v]]
    results: list[Result] = []
    taken: set[Value] = set()
    position = {v: k for k, v in enumerate(program.arguments)}
    for r in program.results:
        place = lowered.place(r)
        if r.weak and r in position:
            results.append(given(r, position[r]))
        elif place is None or (r.constant and r.weak):
            return None
        elif plan.root.get(r, r) is r and plan.kind.get(r) == "donated":
            results.append(given(r, position[_donated(plan, r)]))
        elif not r.shape:
            results.append(result(r, place))
        elif _owns(lowered, r, place) and plan.root[r] not in taken:
            taken.add(plan.root[r])  # the array that is returned is made for it
            results.append(result(r, place))
        elif isinstance(r.example, np.ndarray):
            copy = Place(lowered.memory.cell(), 0, r.shape, np.empty_like(r.example).strides, r.dtype)
            words += loop_words(copier(r.dtype), r.shape, [place.over(r.shape), copy.over(r.shape)])
            results.append(result(r, copy))
        else:
            return None
    for v in lowered.outside - taken:
        if lowered.is_native(v) and v in lowered.cells and v not in lowered.slots:
            lowered.slots[v] = lowered.memory.room(v.nbytes)
    written = {_donated(plan, v) for v, kind in plan.kind.items() if kind == "donated"}
    workspaces = Workspaces(lowered)
    workspaces.stretches.append(Stretch(lowered, words, program.arguments, results, written))

    def make() -> Callable[..., Any]:
        space = np.empty(plan.size + ALIGNMENT, np.uint8)
        function: Callable[..., Any] = workspaces(space[-space.ctypes.data % ALIGNMENT :])[0]
        return function

    return make


def _owns(lowered: Lowered, r: Value, place: Place) -> bool:
    """Whether r is all of an array that a native instruction makes."""
    root = lowered.plan.root.get(r, r)
    return (
        lowered.is_native(root) and lowered.plan.kind[root] == "fresh" and not place.offset and r.nbytes == root.nbytes
    )


def _donated(plan: Plan, v: Value) -> Value:
    """The argument whose memory v has taken over."""
    while plan.kind[v] == "donated":
        v = plan.shared[v]
    return v
