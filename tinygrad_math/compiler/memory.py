"""Where each value lives: liveness, and a workspace in which buffers whose times do not overlap share memory.

Every value belongs to a storage: the value that owns the memory of which it is a view. A storage is
- `argument` or `constant`: the caller's or the program's memory, never written;
- `donated`: an argument that the caller gave up, taken over by a result of the same shape;
- `buffer`: an interval of the workspace, allocated once;
- `block`: a block of a chain (see `blocks`), never an array of full size;
- `fresh`: memory that the call itself allocates, because it is returned or because its op cannot write into a buffer;
- `number`: no array at all.
An elementwise instruction writes over an argument that dies with it, where both have the same shape, dtype and strides,
unless it is faster for it to be given memory of its own, where one of its arguments is spread first (see `to_spread`).
"""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from .blocks import Chain, find_chains
from .calls import VIEWS, call, can_write_into, to_spread
from .packing import place
from .program import Program, Value, apply

MORE = 1.1  # of the live minimum: what a workspace may take so that inputs are spread


class Plan:
    """What `plan` decides: the kind of each storage, and for buffers the offset in the workspace."""

    def __init__(self) -> None:
        self.root: dict[Value, Value] = {}  # value -> the value that owns its memory
        self.kind: dict[Value, str] = {}  # of roots
        self.offset: dict[Value, int] = {}  # of roots that are buffers: where they start
        self.shared: dict[Value, Value] = {}  # a root that writes over another root -> that one
        self.last: dict[Value, int] = {}  # of roots: the instruction that reads them last
        self.inside: dict[Value, tuple[Value, int]] = {}  # part of a concatenation -> it, and the byte where it starts
        self.homes: dict[Value, tuple[Value, int]] = {}  # what `home` has found
        self.copied: set[int] = set()  # results that are copied out
        self.spread: dict[Value, int] = {}  # instruction -> which input is copied over the result first
        self.size = 0  # bytes of the workspace
        self.chains: list[Chain] = []  # instructions that run block by block
        self.live_minimum = 0  # bytes that any order-keeping plan needs at its worst instruction

    def again(self) -> Plan:
        """A plan with the same decisions, to go on in another way."""
        other = copy(self)
        other.kind, other.shared = dict(self.kind), dict(self.shared)  # what is decided next changes these
        other.homes = {}
        return other

    def kind_of(self, v: Value) -> str:
        return self.kind[self.root[v]]

    def is_static(self, v: Value) -> bool:
        """Whether v is a buffer, or a view of one: it has the same address in every call."""
        return self.kind_of(v) in ("buffer", "constant")

    def home(self, v: Value) -> tuple[Value, int]:
        """The value whose interval of the workspace v lies in, and the byte of it at which v starts.

        A part of a part lies as far in as both together. What is found is kept, as a long program writes over one
        buffer thousands of times.
        """
        path = []
        while v not in self.homes and (v in self.shared or v in self.inside):
            path.append(v)
            v = self.shared[v] if v in self.shared else self.inside[v][0]
        owner, start = self.homes.get(v, (v, 0))
        for u in reversed(path):
            start += 0 if u in self.shared else self.inside[u][1]
            self.homes[u] = owner, start
        return owner, start

    def joined(self) -> set[Value]:
        """The concatenations whose parts are computed where they belong, so that nothing is left to do."""
        return {whole for whole, _ in self.inside.values()}


def shares(v: Value, base: Value) -> bool:
    """Whether v is a view of `base`, as the traced run had it."""
    return (
        isinstance(v.example, np.ndarray)
        and isinstance(base.example, np.ndarray)
        and bool(np.may_share_memory(v.example, base.example))
    )


def plan(program: Program, donated: frozenset[Value] = frozenset(), use_buffers: bool = True) -> Plan:
    """Decide where the values of a program live. Chains are gathered, so the order of instructions may change."""
    p = Plan()
    p.chains = find_chains(program) if use_buffers else []
    _find_roots(program, p)
    _find_last_uses(program, p)
    _find_kinds(program, p, use_buffers)
    _join_in_place(program, p)
    spreading = p.again()
    _write_in_place(program, p, donated)
    place(program, p)
    p.spread = _spreads(program, p, "fresh") if use_buffers else {}  # which takes no more memory
    spreading.spread = _spreads(program, p, "buffer")
    if spreading.spread:
        spreading.spread |= p.spread
        _write_in_place(program, spreading, donated)
        place(program, spreading)
        if spreading.size <= MORE * p.live_minimum:
            spreading.live_minimum = p.live_minimum
            return spreading
    return p


def _find_roots(program: Program, p: Plan) -> None:
    for v in program.arguments:
        p.root[v], p.kind[v] = v, "argument"
    for v in program.constants():
        p.root[v], p.kind[v] = v, "constant"
    for v in program.body:
        _look_through(v)
        sources = v.inputs[0].inputs if v.title == "select" else () if v.ufunc is not None else v.inputs
        p.root[v] = next((p.root[i] for i in sources if shares(v, i) or _may_share(v, p.root[i], p)), v)


def _may_share(v: Value, root: Value, p: Plan) -> bool:
    """Whether v is a view of an argument if that lies otherwise than the traced one did, whose reshape was a copy."""
    return v.title in VIEWS and p.kind.get(root) == "argument" and isinstance(root.example, np.ndarray)


def _look_through(v: Value) -> None:
    """Let the example of what may be a view be made of the examples that the arguments have now.

    A pass may have given an argument a new one. For a view it is what the written text gives, where the op's own
    function would copy.
    """
    whole = v.op is not None and v.op.kind == "loop"
    if v.ufunc is None and not whole and not can_write_into(v) and not getattr(v.op, "random", False):
        v.example = apply(v, [i.example for i in v.inputs])
        v.strides = getattr(v.example, "strides", ())
    if v.title in VIEWS and isinstance(v.inputs[0].example, np.ndarray):
        text = call(v, ["x"], None)
        if text is not None:
            v.example = eval(text, {"np": np, "x": v.inputs[0].example})
            v.strides = getattr(v.example, "strides", ())


def _find_last_uses(program: Program, p: Plan) -> None:
    for k, v in enumerate(program.body):
        p.last[p.root[v]] = k
        for i in v.inputs:
            p.last[p.root[i]] = k
    for r in program.results:
        p.last[p.root[r]] = len(program.body)


def _find_kinds(program: Program, p: Plan, use_buffers: bool) -> None:
    returned: set[Value] = set()
    for k, r in enumerate(program.results):
        root = p.root[r]
        if p.kind.get(root) is not None or root in returned or r.nbytes != root.nbytes or not _surely_fresh(root):
            p.copied.add(k)
        else:
            returned.add(root)
    internal = {v for chain in p.chains for v in chain.internal}
    for v in program.body:
        if p.root[v] is not v:
            continue
        if v in internal:
            p.kind[v] = "block"
        elif v.shape == ():
            p.kind[v] = "number"
        elif use_buffers and v not in returned and can_write_into(v):
            p.kind[v] = "buffer"
        else:
            p.kind[v] = "fresh"


def _surely_fresh(v: Value) -> bool:
    """Whether the op always makes new memory, however its arguments lie."""
    return v.shape == () or v.title == "select" or can_write_into(v)


def _join_in_place(program: Program, p: Plan) -> None:
    """Let the parts of a concatenation be computed inside it, where they follow each other in memory."""
    chained = {v for chain in p.chains for v in chain.members}
    for v in program.body:
        parts, axis = v.inputs, v.params.get("axis")
        if v.title != "concat" or axis is None or p.kind.get(v) != "buffer" or len(set(parts)) < len(parts):
            continue
        if v.strides[axis] == max(v.strides) and all(
            p.kind.get(i) == "buffer" and i not in p.inside and i not in chained
            and (i.strides, i.dtype) == (v.strides, v.dtype)
            for i in parts
        ):  # fmt: skip
            start = 0
            for i in parts:
                p.inside[i] = v, start
                start += i.nbytes


def _spreads(program: Program, p: Plan, kind: str) -> dict[Value, int]:
    """The instructions whose result would be in memory of its own, and the input that would be copied there first."""
    chained = {v for chain in p.chains for v in chain.members}
    own = [v for v in program.body if p.root[v] is v and p.kind[v] == kind and v not in chained]
    own = own if kind == "buffer" else [v for v in own if _c_order(v) and can_write_into(v)]
    return {v: k for v in own if (k := to_spread(v)) is not None}


def _write_in_place(program: Program, p: Plan, donated: frozenset[Value]) -> None:
    """Let results take over donated arguments, and elementwise instructions the buffer of an argument that dies."""
    owners = {r for k, r in enumerate(program.results) if k not in p.copied and p.root[r] is r}
    free = set(donated)
    start = {v: chain.start for chain in p.chains for v in chain.members}
    fixed = {*p.inside, *p.joined()}
    for k, v in enumerate(program.body):
        kind = p.kind.get(v) if p.root[v] is v else None
        if kind == "buffer" and v not in fixed and v not in p.spread and (v.pointwise or v.title == "where"):
            again = {p.root[i] for i in v.reads_again}
            for i in v.inputs:
                free_now = p.kind_of(i) == "buffer" and p.last[p.root[i]] == k and p.root[i] not in {*fixed, *again}
                if free_now and _same_place(i, v, p):
                    p.shared[v] = p.root[i]
                    break
        elif kind == "fresh" and v in owners and can_write_into(v):
            for a in sorted(free, key=program.arguments.index):
                dies = p.last.get(a, -1)
                over = v.elementwise and dies == k and any(i is a for i in v.inputs) and _only_whole(v, a, p)
                if v in start:  # block by block: what the chain has read until then, it has read in the same order
                    read = [i for u in program.body[start[v] : k + 1] for i in u.inputs if p.root[i] is a]
                    again = set() if v.title == "where" else {p.root[i] for i in v.reads_again}
                    over = dies <= k and all(i is a for i in read) and a not in again
                if (a.shape, a.dtype) == (v.shape, v.dtype) and (dies < start.get(v, k) or over) and _c_order(v):
                    p.kind[v], p.shared[v] = "donated", a
                    free.discard(a)
                    break


def _same_place(i: Value, v: Value, p: Plan) -> bool:
    """Whether element by element, i lies where v would."""
    if not (i.shape == v.shape and i.dtype == v.dtype and i.strides == v.strides):
        return False
    root = p.root[i]
    return _only_whole(v, root, p) and i.nbytes == root.nbytes


def _only_whole(v: Value, root: Value, p: Plan) -> bool:
    """Whether v reads this storage only element by element in its own order, never as another view of it."""
    return all(i.strides == v.strides and i.shape == v.shape for i in v.inputs if p.root[i] is root)


def _c_order(v: Value) -> bool:
    return bool(v.example.flags.c_contiguous) if isinstance(v.example, np.ndarray) else False


def layout(v: Value) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """The shape in memory order of a buffer for v, and the transposition that brings it into v's own order."""
    order: Any = sorted(range(len(v.shape)), key=lambda k: (-v.strides[k], k))
    if order == list(range(len(v.shape))):
        return v.shape, None
    inverse = tuple(int(k) for k in np.argsort(order))
    return tuple(v.shape[k] for k in order), inverse
