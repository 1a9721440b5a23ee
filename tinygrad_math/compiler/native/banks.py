"""The step of a loop for some networks of a bank: what it computes for each by itself, along the first axis.

`vmap` puts the examples of a batch along the first axis, and they stay there. Whether row k of a result needs nothing
but row k of what it is made of, beside what all rows share, is read off the ops and the shapes: each op that is known
here says which of its inputs it reads row by row. From the results on backwards that tells of every value whether it is
needed row by row or as a whole; where both are asked of what the loop carries, or an op is not known, there are no
parts. Reshapes that put a further axis into the first one keep the rows of a network together: these stay two axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.op import Op, registry
from ..program import Program, Value, apply, constant

LIKE = frozenset({"where", "keep", "astype", "tanh_slope", "sigmoid_slope"})  # element by element, but no ufuncs
REDUCTIONS = frozenset({"sum", "prod", "any", "all", "max", "amax", "min", "amin"})
RESHAPES = frozenset({"reshape", "expand_dims", "squeeze", "unsqueeze", "ravel", "flatten"})
VIEWS = RESHAPES | {"transpose", "permute_dims", "matrix_transpose", "getitem", "broadcast_to"}


class Rule(NamedTuple):
    """Which inputs of an instruction are read row by row, and its op and parameters for some of the rows."""

    rows: Sequence[bool]
    op: Op
    params: dict[str, Any]


def narrowed(shape: Sequence[int], many: int, few: int) -> tuple[int, ...]:
    """The shape that `few` of `many` networks have; a first axis that holds more than the networks becomes two."""
    further = (shape[0] // many,) if shape[0] != many else ()
    return (few, *further, *shape[1:])


def is_bank(v: Value, many: int) -> bool:
    """Whether v may hold a row, or some rows, for each network."""
    return v.shape is not None and len(v.shape) > 0 and not v.weak and v.shape[0] > 0 and v.shape[0] % many == 0


def rule_of(v: Value, many: int, few: int) -> Rule | None:
    """How v is computed for some networks; None where it is not known to be computed for each by itself."""
    assert v.op is not None
    if not is_bank(v, many) or any(i.shape is None for i in v.inputs):
        return None
    if (v.elementwise and not v.params) or v.title in LIKE:
        return _elementwise(v, many)
    if v.title in REDUCTIONS:
        return _reduction(v, many)
    if v.title in RESHAPES:
        fits = v.params.get("order", "C") == "C" and is_bank(v.inputs[0], many)
        params = {"shape": narrowed(v.shape, many, few), "order": "C", "copy": None}
        return Rule([True], registry["reshape"], params) if fits else None
    find = _RULES.get("matmul" if v.ufunc is np.matmul and not v.params else v.title)
    return None if find is None else find(v, many, few)


def _elementwise(v: Value, many: int) -> Rule | None:
    assert v.op is not None
    rank, lead = len(v.shape), v.shape[0]
    rows = [len(i.shape) == rank and i.shape[0] == lead for i in v.inputs]
    if lead != many and any(len(i.shape) == rank and not r for i, r in zip(v.inputs, rows, strict=True)):
        return None  # one row for all, beside two axes in one
    return Rule(rows, v.op, v.params) if any(rows) else None


def _matmul(v: Value, many: int, few: int) -> Rule | None:
    assert v.op is not None
    a, b = v.inputs
    if len(a.shape) <= 2 and len(b.shape) <= 2:  # rows of A: those of one network, or one
        return Rule([True, False], v.op, v.params) if len(a.shape) == 2 else None
    if v.shape[0] != many:
        return None
    rank = max(len(a.shape), len(b.shape))
    rows = [len(i.shape) == rank and i.shape[0] == many for i in v.inputs]
    return Rule(rows, v.op, v.params) if any(rows) else None


def _reduction(v: Value, many: int) -> Rule | None:
    assert v.op is not None
    x, axis = v.inputs[0], v.params.get("axis")
    if axis is None or x.shape[:1] != (many,) or v.shape[0] != many or len(v.inputs) != 1:
        return None
    if any(v.params.get(name) is not None for name in ("initial", "where")):
        return None
    axes = [int(k) % len(x.shape) for k in (axis if isinstance(axis, tuple) else (axis,))]
    return None if 0 in axes else Rule([True], v.op, v.params)


def _transpose(v: Value, many: int, few: int) -> Rule | None:
    assert v.op is not None
    axes = v.params.get("axes")
    stays = axes is not None and axes[0] % len(v.shape) == 0
    return Rule([True], v.op, v.params) if stays and v.shape[0] == many else None


def _matrix_transpose(v: Value, many: int, few: int) -> Rule | None:
    assert v.op is not None
    return Rule([True], v.op, v.params) if len(v.shape) > 2 and v.shape[0] == many else None


def _getitem(v: Value, many: int, few: int) -> Rule | None:
    assert v.op is not None
    good = _takes_all_rows(v.params.get("key")) and len(v.inputs) == 1
    return Rule([True], v.op, v.params) if good and v.inputs[0].shape[0] == v.shape[0] == many else None


def _embed(v: Value, many: int, few: int) -> Rule | None:
    assert v.op is not None
    if not _takes_all_rows(v.params["key"]) or v.inputs[0].shape[:1] != (many,) or v.shape[0] != many:
        return None
    return Rule([True], v.op, v.params | {"shape": narrowed(v.shape, many, few)})


def _takes_all_rows(key: Any) -> bool:
    """Whether a basic index takes the first axis as it is."""
    if not isinstance(key, tuple) or not key or not isinstance(key[0], slice) or key[0] != slice(None):
        return False
    return all(
        k is None or k is Ellipsis or isinstance(k, slice) or (isinstance(k, (int, np.integer)) and type(k) is not bool)
        for k in key
    )


def _broadcast_to(v: Value, many: int, few: int) -> Rule | None:
    assert v.op is not None
    x = v.inputs[0]
    if v.shape[0] != many or x.weak:
        return None
    rows = [len(x.shape) == len(v.shape) and x.shape[0] == many]
    return Rule(rows, v.op, v.params | {"shape": narrowed(v.shape, many, few)})


def _along_axis(v: Value, many: int, few: int) -> Rule | None:
    """Along axes of a network: what lies across them is computed by itself."""
    assert v.op is not None
    axis = v.params.get("axis")
    axes = axis if isinstance(axis, tuple) else (axis,)
    if axis is None or any(k % len(v.shape) == 0 for k in axes) or v.shape[0] != many:
        return None
    return Rule([i.shape[0] == many for i in v.inputs], v.op, v.params)


def _joined(v: Value, many: int, few: int) -> Rule | None:
    assert v.op is not None
    axis = v.params.get("axis", 0)
    good = axis is not None and axis % len(v.shape) and v.shape[0] == many
    return Rule([True] * len(v.inputs), v.op, v.params) if good else None


_RULES: dict[str, Callable[[Value, int, int], Rule | None]] = {
    "matmul": _matmul, "transpose": _transpose, "permute_dims": _transpose, "matrix_transpose": _matrix_transpose,
    "getitem": _getitem, "embed": _embed, "broadcast_to": _broadcast_to, "concat": _joined,
    "take_along_axis": _along_axis, "stack": _joined, "balanced": _along_axis, "from_winner": _along_axis,
}  # fmt: skip


class Source(NamedTuple):
    """What an argument of the step for some networks is: which value of the whole step, or a row or more spread."""

    value: Value  # an argument or a constant of the whole step
    by_rows: bool
    shape: tuple[int, ...] | None = None  # spread over this


class Part:
    """The step for `few` of the `many` networks, `abreast` or each as it lies in the whole step.

    `carries`, `rows` and `fixed` say where the arguments of `program` come from, `out` which of its results hold a row
    for each network.
    """

    def __init__(self, step: Program, how: Any, many: int, few: int, abreast: bool) -> None:
        self.step, self.many, self.few, self.abreast = step, many, few, abreast
        first = how.numbered
        self.numbers = step.arguments[:first]
        self.carried = step.arguments[first : first + how.carries]
        self.taken = step.arguments[first + how.carries : first + how.carries + how.rows]
        self.same = step.arguments[first + how.carries + how.rows :]
        self.banked = {a for a in self.carried if is_bank(a, many) and a.shape[0] == many}
        self.made: dict[Source, Value] = {}
        self.program: Program | None = None

    def build(self) -> Program | None:
        """The step for some networks; None where there is none."""
        needed = self._needed()
        if needed is None:
            return None
        body: list[Value] = []
        for a in self.carried:
            self.made[Source(a, a in self.banked)] = self._argument(a) if a in self.banked else a
        for v in self.step.body:
            if False in needed.get(v, ()):
                for i in v.inputs:
                    self._input(i, False)
                self.made[Source(v, False)] = v
                body.append(v)
            if True in needed.get(v, ()):
                found = self._narrow(v)
                if found is None:
                    return None
                self.made[Source(v, True)] = found
                body.append(found)
        results = [self._input(r, row) for r, row in zip(self.step.results, self.out, strict=True)]
        carries = [Source(a, a in self.banked) for a in self.carried]
        self.rows = [s for s in self.made if s.value in self.taken]
        self.fixed = [
            s for s in self.made if s.value in self.same or (s.value.constant and s.value is not self.made[s])
        ]
        self.carries = carries
        arguments = [*self.numbers, *(self.made[s] for s in (*carries, *self.rows, *self.fixed))]
        self.program = Program(self.step.name, arguments, body, results)
        return self.program

    def _needed(self) -> dict[Value, set[bool]] | None:
        """Which values are needed row by row, and which as wholes."""
        carries = len(self.carried)
        reached = set(self.banked)
        for v in self.step.body:
            if not reached.isdisjoint(v.inputs):
                reached.add(v)
        results = self.step.results
        self.out = [a in self.banked for a in self.carried] + [r in reached for r in results[carries:]]
        needed: dict[Value, set[bool]] = {}
        for r, row in zip(results, self.out, strict=True):
            if row and (not is_bank(r, self.many) or r.shape[0] != self.many):
                return None
            needed.setdefault(r, set()).add(row)
        for v in reversed(self.step.body):
            for row in needed.get(v, ()):
                rule = rule_of(v, self.many, self.few) if row else None
                if (row and rule is None) or (not row and v in reached):
                    return None
                for i, by in zip(v.inputs, rule.rows if rule else [False] * len(v.inputs), strict=True):
                    needed.setdefault(i, set()).add(by)
        for v, how in needed.items():
            if v.op is None and ((True in how and not is_bank(v, self.many)) or (v in self.banked and False in how)):
                return None
            if v in self.carried and v not in self.banked and True in how:
                return None
        return needed

    def _narrow(self, v: Value) -> Value | None:
        rule = rule_of(v, self.many, self.few)
        assert rule is not None
        shape = narrowed(v.shape, self.many, self.few)
        inputs = [self._input(i, row) for i, row in zip(v.inputs, rule.rows, strict=True)]
        if self.abreast and v.elementwise:
            inputs = [self._spread(i, row, x, shape) for i, row, x in zip(v.inputs, rule.rows, inputs, strict=True)]
        new = Value(rule.op, tuple(inputs), rule.params, place=v.place, name=v.name)
        if v.title in VIEWS:
            new.example = apply(new, [i.example for i in inputs])
        else:
            new.example = self._laid(shape, v.dtype, v.example)
        new._describe()
        return new if (new.shape, new.dtype) == (shape, v.dtype) else None

    def _input(self, i: Value, row: bool) -> Value:
        """What stands for a value of the whole step."""
        found = self.made.get(Source(i, row))
        if found is not None:
            return found
        if not row:
            new = i
        elif i.constant and _is_alike(i):
            shape = narrowed(i.shape, self.many, self.few)
            new = constant(np.ascontiguousarray(np.broadcast_to(np.asarray(i.example)[:1], shape)))
        else:
            new = self._argument(i)
        if not (i.constant and new.constant) and i not in self.numbers:
            self.made[Source(i, row)] = new
        return new

    def _argument(self, a: Value) -> Value:
        return Value(None, example=self._laid(narrowed(a.shape, self.many, self.few), a.dtype, a.example), name=a.name)

    def _spread(self, i: Value, row: bool, x: Value, shape: tuple[int, ...]) -> Value:
        """What is the same in all steps, spread over the shape of what it meets: one loop goes through both then."""
        if not i.shape or x.shape == shape or not (i.constant or i in self.same):
            return x
        source = Source(i, row, shape)
        if source not in self.made:
            self.made[source] = Value(None, example=self._laid(shape, i.dtype, None), name=i.name)
        return self.made[source]

    def _laid(self, shape: tuple[int, ...], dtype: Any, like: Any) -> np.ndarray[Any, Any]:
        """An example of this shape, with the networks innermost in memory if they lie abreast."""
        x = np.empty((*shape[1:], shape[0]) if self.abreast else shape, dtype)
        x = np.moveaxis(x, -1, 0) if self.abreast else x
        x[...] = 0 if like is None else np.asarray(like).reshape(-1)[: math.prod(shape)].reshape(shape)
        return x


def _is_alike(v: Value) -> bool:
    """Whether a constant is the same in all of its rows."""
    rows = np.asarray(v.example)
    return rows.strides[0] == 0 or all(row.tobytes() == rows[0].tobytes() for row in rows)
