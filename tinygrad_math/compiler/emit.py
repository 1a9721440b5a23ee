"""Print a program as NumPy: its lines (`lines`), the loops over blocks that chains are, and loops of steps."""

from __future__ import annotations

import numpy as np

from .blocks import TOTALS, Chain, bound_of
from .calls import literal
from .lines import LineEmitter, Source, title_of_value
from .memory import Plan
from .passes.loops import Repeated
from .program import Program, Value, constant, describe_value
from .rounds import Rounds


class Emitter(LineEmitter):
    """Writes one program down."""

    def __init__(self, program: Program, plan: Plan, threads: int = 1, around: LineEmitter | None = None) -> None:
        super().__init__(program, plan, threads, around)
        self.blocks: dict[str, str] = {}  # what makes the blocks of a chain -> their name
        self.filled: dict[tuple[int, str], str] = {}  # length and number -> the block that is full of it

    def _chain(self, chain: Chain) -> None:
        """A loop over blocks, as a function of its own that threads can share."""
        run, i, j = map(self.names.new, ("chain", "i", "j"))
        own = {self.names.new("block"): f"empty({chain.block}, {literal(d.name)})" for d in chain.slot_types}
        slots = list(own)
        text = {v: slots[k] for v, k in chain.slots.items()}
        body: list[str] = []
        for v in chain.inputs():
            if not _is_uniform(v):
                flat = self._flat(v, self._read(v))
                text[v] = self.names.new(f"{self._read(v)}_part")
                body.append(f"{text[v]} = {flat}[{i}:{j}]")
        for v in chain.outputs():
            name = self._name(v, title_of_value(v))
            if self.plan.kind_of(v) == "buffer":
                name = self._buffer(v, name)
            elif self.plan.kind_of(v) == "donated":
                self.text[v] = name = self.text[self.plan.shared[v]]
            else:
                self.lines.append(f"{name} = empty({literal(v.shape)}, {literal(v.dtype.name)})")
            text[v] = self.names.new(f"{name}_part")
            body.append(f"{text[v]} = {self._flat(v, name)}[{i}:{j}]")
        for v in chain.totals():
            parts = self.names.new(f"{self._name(v, title_of_value(v))}_parts")
            self._set_up(f"{parts} = empty({-(-chain.size // chain.block)}, {literal(v.dtype.name)})")
            text[v] = f"{parts}[{i} // {chain.block}]"
        for v in chain.members:
            lines = self._member(chain, v, text, own)
            note = describe_value(v) + (f"  {v.place}" if v.place else "")
            body += [self._commented(lines[0], note), *lines[1:]]
        blocks = self._blocks(list(own.values()), chain.threads(self.threads))
        head = [f"def {run}(start, stop{''.join(f', {s}' for s in own)}):"]
        head.append(f"    for {i} in range(start, stop, {chain.block}):")
        head.append(f"        {j} = min({i} + {chain.block}, stop)")
        if own:
            short = ", ".join(f"{s}[:{j} - {i}]" for s in own)
            head.append(f"        if {j} - {i} < {chain.block}:")
            head.append(f"            {', '.join(own)} = {short}")
        self.lines += [*head, *(f"        {line}" for line in body)]
        self.lines.append(f"parallel({run}, {chain.size}, {chain.block}, {blocks})")
        for v in chain.totals():
            self.lines.append(f"{self.text[v]} = {TOTALS[v.title]}.reduce({text[v].partition('[')[0]})")
        self._mark(chain.members)

    def _member(self, chain: Chain, v: Value, text: dict[Value, str], own: dict[str, str]) -> list[str]:
        """What computes one block of v. `text` names the blocks; `own` are those that each thread is given."""
        if v.title == "keep" and v.inputs[0].is_number(1) and v.inputs[1] in text:
            return [f"{text[v]}[...] = {text[v.inputs[1]]}"]
        inputs = []
        for n in v.inputs:
            if n in text:
                inputs.append(text[n])
            elif n is bound_of(v):
                inputs.append(self._filled(chain, self._read(n, v), own))
            elif n.shape:
                inputs.append(self._filled(chain, self._number(constant(np.ravel(n.example)[0]), None), own))
            else:
                inputs.append(self._read(n, v))
        if v.title == "matmul":
            return [f"{text[v]} = {inputs[0]}.dot({inputs[1]})"]
        if v.shape == ():
            return [f"{text[v]} = {TOTALS[v.title]}.reduce({inputs[0]})"]
        return self._where(v, inputs, text[v]) if v.title == "where" else [self._call(v, inputs, text[v])]

    def _loop(self, v: Value, op: Repeated, inputs: list[str], name: str) -> None:
        """A loop in Python, with the lines of its step."""
        rounds = Rounds(self, op, inputs, self._leaving(v), lambda step, plan: Emitter(step, plan, self.threads, self))
        self.lines += [self._commented("", f"{name}: {op.name}{f'  {v.place}' if v.place else ''}"), *rounds.lines]
        self.setup += rounds.setup
        self.lines.append(f"{name} = {rounds.results}")
        self._mark([v])

    def _leaving(self, v: Value) -> set[int]:
        """Which results of a loop leave the program, so that the next call may not write over them."""
        roots = {self.plan.root[r] for k, r in enumerate(self.program.results) if k not in self.plan.copied}
        parts = [u for u in self.program.body if u.title == "select" and u.inputs[0] is v]
        return {u.params["index"] for u in parts if u in roots}

    def _blocks(self, made: list[str], threads: int) -> str:
        """The blocks of each thread, which all chains that need such blocks use in turn."""
        text = f"[({', '.join(made)}{',' if made else ''}) for _ in range({threads})]"
        if text not in self.blocks:
            self.blocks[text] = self.names.new("blocks")
            self._set_up(f"{self.blocks[text]} = {text}")
        return self.blocks[text]

    def _filled(self, chain: Chain, number: str, own: dict[str, str]) -> str:
        """A block that is full of one number. There is one for all threads, which only read it."""
        key = chain.block, number
        if key not in self.filled:
            self.filled[key] = self.names.new(f"all{number.removeprefix('c')}")
            self._set_up(f"{self.filled[key]} = np.full({chain.block}, {number})")
        own[self.filled[key]] = self.filled[key]
        return self.filled[key]

    def _where(self, v: Value, inputs: list[str], out: str) -> list[str]:
        """A choice within a block by arithmetic on bits: copying under a mask takes ten times as long if it is random.

        As with copying, the result may lie where the second choice lies.
        """
        condition, a, b = inputs
        over, roots = self.plan.shared.get(v), [self.plan.root[n] for n in v.inputs]
        if over is not None and over is roots[2]:
            b = out  # it lies there already
        same = v.dtype.kind == "f" and v.dtype.itemsize in (4, 8) and all(_has_dtype(n, v) for n in v.inputs[1:])
        if not same or (over is not None and over is roots[1]):
            return [self._call(v, [condition, a, b], out)]
        whole = f".view('i{v.dtype.itemsize}')"
        if _is_zero(v.inputs[2]):
            return [f"multiply({a}{whole}, {condition}, {out}{whole})"]
        if _is_zero(v.inputs[1]):
            return [f"multiply({b}{whole}, ~{condition}, {out}{whole})"]
        first, chosen = self.names.new("first"), self.names.new("chosen")
        return [
            f"{first}, {chosen} = {a}{whole}, {out}{whole}",
            f"bitwise_xor({first}, {b}{whole}, {chosen})",
            f"multiply({chosen}, ~{condition}, {chosen})",
            f"bitwise_xor({chosen}, {first}, {chosen})",
        ]

    def _flat(self, v: Value, name: str) -> str:
        """An array as one long row."""
        if len(v.shape) == 1:
            return name
        flat = self.names.new(f"{name}_flat")
        (self._set_up if self._before_the_call(v) else self.lines.append)(f"{flat} = {name}.reshape(-1)")
        return flat


def _is_uniform(v: Value) -> bool:
    """Whether all elements of a constant array have the same bits."""
    if not v.constant or v.dtype.kind not in "biuf" or v.dtype.itemsize > 8:
        return False
    bits = np.ravel(v.example).view(f"u{v.dtype.itemsize}")
    return bool((bits == bits[0]).all())


def _has_dtype(n: Value, v: Value) -> bool:
    """Whether the text by which v reads n has the dtype of v: numbers that are known are given it."""
    return bool(n.dtype == v.dtype and not n.weak) or (n.constant and n.shape == ())


def _is_zero(v: Value) -> bool:
    return v.is_number(0) and not np.signbit(v.example).any()


def emit(program: Program, plan: Plan, threads: int = 1) -> Source:
    """The source of a program under a memory plan; `threads` share the blocks of a chain."""
    return Emitter(program, plan, threads).emit()
