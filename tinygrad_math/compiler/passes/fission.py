"""What a loop computes in each step, and no later step needs, is computed for all steps at once.

A step is taken apart into what needs its row only, which goes before the loop, what is carried on, which stays, and
what only comes out, which goes behind it. There an instruction works on the rows of all steps, where the loop would
call it once for each. A carry that is only added to is the sum of what is added; a sum of matrix products is one
product of the rows put side by side. (Loop fission, as in Kennedy and Allen, Optimizing Compilers for Modern
Architectures, section 5.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.op import Op
from ...core.tensor import Tensor, as_tensor, rec, select
from ...transforms.batching.rules import aligned, rule_of
from ...transforms.loops.batch import over_batch
from ...transforms.loops.body import Body, Step, traced
from ...transforms.loops.lazy import elements, lazily
from ...transforms.loops.loop import Loop
from ..program import Program, Value, apply, constant, value_of
from .common import is_random
from .loops import as_program, is_loop

SHORTEST = 4  # steps
SMALL, LARGE = 1 << 15, 1 << 24  # bytes: of one step's array; of all steps' together
AT_ONCE = frozenset(
    ("matmul", "contract", "sum", "mean", "max", "min", "reshape", "transpose", "matrix_transpose", "broadcast_to")
    + ("expand_dims", "squeeze", "getitem", "embed", "concat", "stack", "softmax", "log_softmax", "logsumexp")
    + ("soft_shares", "affine", "unreduce", "zeros_like", "ones_like", "where", "batch_sum")
    + ("balanced", "from_winner")
)  # beside what acts on each element: ops that are as fast on a batch as on one array
_BY_VALUE = ("tinygrad_math.special", "tinygrad_math.stats")  # integrals and series: how is a matter of the elements
VIEWS = frozenset(("getitem", "reshape", "transpose", "matrix_transpose", "expand_dims", "squeeze", "broadcast_to"))


def split_loops(program: Program) -> int:
    """Move what no later step needs out of loops of a known length."""
    body: list[Value] = []
    changed: dict[Value, Value] = {}
    count = 0
    known = _known(program)
    parts: dict[Value, list[Value]] = {}
    for v in program.body:
        if v.title == "select":
            parts.setdefault(v.inputs[0], []).append(v)
    for v in program.body:
        found = Fission(v, parts.get(v, ()), known) if is_loop(v) and isinstance(v.op, Loop) else None
        if found is None or not found.pays:
            body.append(v)
            continue
        count += 1
        body += found.before
        body.append(found.loop)
        body += found.after
        changed.update(found.replaced)
    program.body = [v for v in body if v not in changed]
    program.replace(changed)
    if count:
        _look_again(program, set(changed.values()))
    return count


def _look_again(program: Program, new: set[Value]) -> None:
    """Let what is known by now have its value, in place of one that was made of the values of one step."""
    known = _known(program)
    for v in program.body:
        if v in known and not new.isdisjoint(v.inputs):
            v.example = apply(v, [i.example for i in v.inputs])
            new.add(v)


def _known(program: Program) -> set[Value]:
    """What is made of constants alone."""
    known: set[Value] = set()
    for v in program.body:
        if not is_loop(v) and not is_random(v) and all(i.constant or i in known for i in v.inputs):
            known.add(v)
    return known


class Sizes(NamedTuple):
    """Examples of all values of a body."""

    values: list[Any]

    def small(self, k: int, n: int) -> bool:
        nbytes = np.asarray(self.values[k]).nbytes
        return bool(nbytes <= SMALL and n * nbytes <= LARGE)


def _examples(body: Body, given: Sequence[Any]) -> Sizes:
    program = as_program(body, given, "step")
    constants = [np.asarray(c)[()] if hasattr(c, "dtype") else c for c in body.constants]
    return Sizes([*given, *constants, *(v.example for v in program.body)])


class Fission:
    """One loop taken apart: `before`, the lean `loop`, `after`, and what is read in place of its parts."""

    def __init__(self, v: Value, parts: Sequence[Value], known: set[Value]) -> None:
        loop: Any = v.op
        self.known = known
        how, body = loop.how, loop.body
        self.pays = False
        if loop.condition is not None or how.counted or how.length is None or how.length < SHORTEST:
            return
        self.v, self.source, self.n, self.parts = v, loop, how.length, parts
        self.first_row = how.numbered + how.carries
        self.first_fixed = self.first_row + how.rows
        self.sizes = _examples(body, loop.given)
        self.moved = self._moved()
        self.movable = [self._is_movable(k) for k in range(body.first + len(body.steps))]
        sums = self._sums()
        core = self._core(sums)
        self.sums = {k: x for k, x in sums.items() if x not in core and self._can_sum(x, core)}
        if len(self.sums) < len(sums):
            core = self._core(self.sums)
        early = self._early(core)
        self._build(core, early)

    # -- what goes where ---------------------------------------------------------------------------------
    def _step(self, k: int) -> Step | None:
        body = self.source.body
        found: Step | None = body.steps[k - body.first] if k >= body.first else None
        return found

    def _moved(self) -> list[bool]:
        """For each value whether it differs from step to step."""
        body: Body = self.source.body
        moved = body.depends(range(self.first_fixed), moved=False)
        for k, s in enumerate(body.steps, start=body.first):
            moved[k] = moved[k] or s.random or any(moved[i] for i in s.operands)
        return moved

    def _is_movable(self, k: int) -> bool:
        s = self._step(k)
        if s is None or s.op.many or s.random or s.weak or s.op.recorded is not None:
            return False
        key = s.params.get("key")
        if s.op.name == "getitem" and (len(s.operands) > 1 or not _is_basic(key)):
            return False
        known: bool = s.op.name in AT_ONCE or rule_of(s.op) is aligned
        return known and self.sizes.small(k, self.n)

    def _sums(self) -> dict[int, int]:
        """The carries that are only added to, and what is added."""
        body, how = self.source.body, self.source.how
        uses: dict[int, int] = {}
        for i in [*(i for s in body.steps for i in s.operands), *body.results]:
            uses[i] = uses.get(i, 0) + 1
        found = {}
        for k in range(how.carries):
            number, result = how.numbered + k, body.results[k]
            s = self._step(result)
            if s is None or s.op.name != "add" or uses.get(number) != 1 or uses.get(result) != 1:
                continue
            others = [i for i in s.operands if i != number]
            if len(others) != 1:
                continue
            x, y = np.asarray(self.sizes.values[others[0]]), np.asarray(self.sizes.values[result])
            if x.shape == y.shape and x.dtype == y.dtype and x.dtype.kind in "iufc":
                found[k] = others[0]
        return found

    def _core(self, sums: dict[int, int]) -> set[int]:
        """What has to be computed step by step: what is carried on, what cannot be moved, and what these need."""
        body, how = self.source.body, self.source.how
        roots = [body.results[k] for k in range(how.carries) if k not in sums]
        own = {body.results[k] for k in sums}  # the additions, which go
        wanted = body.reached([*body.results[how.carries :], *sums.values()])
        core: set[int] = set()
        while True:
            core |= {k for k in body.reached(roots) if k >= body.first}
            stuck = [k for k in wanted if k >= body.first and k not in core and k not in own and not self.movable[k]]
            roots = [k for k in stuck if self._moves(k)]
            if not roots:
                return core

    def _moves(self, k: int) -> bool:
        """Whether a value differs from step to step."""
        return self.moved[k]

    def _can_sum(self, x: int, core: set[int]) -> bool:
        """Whether what is added can be added up behind the loop, without an array of all that is too large."""
        return bool(self._moves(x)) and all(
            self.sizes.small(t, self.n) or self._product(t) is not None for t in self._terms(x)
        )

    def _terms(self, x: int) -> list[int]:
        """What is added in a step: the parts of a sum one by one, where products are among them. Else they are added
        first, as in the loop: sums of each part alone may overflow where those of both together do not."""
        parts = self._parts(x)
        return parts if any(self._product(t) is not None for t in parts) else [x]

    def _parts(self, x: int) -> list[int]:
        s = self._step(x)
        if s is None or s.op.name != "add":  # a part of a loop within has no operand with a shape
            return [x]
        if len({np.shape(self.sizes.values[i]) for i in (*s.operands, x)}) > 1:
            return [x]
        return [t for i in s.operands for t in self._parts(i)]

    def _product(self, x: int) -> tuple[int, int, bool] | None:
        """The two matrices whose product this is; the first may be turned. A column times a row is one, too."""
        s = self._step(x)
        if s is None or s.op.name not in ("matmul", "multiply"):
            return None
        a, b = s.operands
        left, right = (np.shape(self.sizes.values[i]) for i in (a, b))
        if len(left) != 2 or len(right) != 2:
            return None
        if s.op.name == "multiply":
            if left[0] == right[1] == 1:
                a, b, left, right = b, a, right, left
            if not left[1] == right[0] == 1:
                return None
        if not (self._moves(a) and self._moves(b)):
            return None
        t = self._step(a)
        if t is not None and t.op.name in ("transpose", "matrix_transpose") and t.params.get("axes") in (None, (1, 0)):
            return t.operands[0], b, True
        return a, b, False

    def _early(self, core: set[int]) -> set[int]:
        """Of that what needs only rows of this step, and what stays the same."""
        body = self.source.body
        late = [k < self.first_row for k in range(body.first)]
        for k, s in enumerate(body.steps, start=body.first):
            late.append(not self.movable[k] or any(late[i] for i in s.operands))
        return {k for k in core if not late[k] and self._moves(k)}

    # -- how it is put together ----------------------------------------------------------------------------
    def _build(self, core: set[int], early: set[int]) -> None:
        source, n = self.source, self.n
        body, how = source.body, source.how
        outs = body.results[how.carries :]
        late_rows = [k for k, r in enumerate(outs) if r not in core and self._moves(r) and r >= body.first]
        if not (late_rows or self.sums or early):
            return
        sum_terms = {k: self._terms(x) for k, x in self.sums.items()}
        wanted: list[int] = [outs[k] for k in late_rows]
        for x in (t for terms in sum_terms.values() for t in terms):
            pair = self._product(x)
            wanted += [x] if pair is None else pair[:2]
        inside = core - early
        # behind the loop: rows in, and what the loop computed there, are given
        given, seen, stack = set[int](), set[int](), list(wanted)
        while stack:
            k = stack.pop()
            if k in seen:
                continue
            seen.add(k)
            s = self._step(k)
            if how.numbered <= k < self.first_row or k < how.numbered or k in inside:
                through = s is not None and s.op.name in VIEWS and len(s.operands) == 1 and self.movable[k]
                if through and s is not None and self._moves(s.operands[0]):
                    stack += s.operands
                else:
                    given.add(k)
            elif s is not None:
                stack += s.operands
        if not all(self.sizes.small(k, n) for k in given):
            return
        # before it
        reads = [i for k in inside for i in body.steps[k - body.first].operands]
        reads += [outs[k] for k in range(len(outs)) if k not in late_rows]
        reads += [body.results[k] for k in range(how.carries) if k not in self.sums]
        first = sorted({i for i in reads if i in early})
        kept_outs = [k for k in range(len(outs)) if k not in late_rows]
        there = {outs[k]: place for place, k in enumerate(kept_outs)}
        more = sorted(k for k in given if k not in there)
        carries = [k for k in range(how.carries) if k not in self.sums]
        # the lean loop
        inputs = [*range(how.numbered), *(how.numbered + k for k in carries)]
        inputs += [*range(self.first_row, self.first_fixed), *first, *range(self.first_fixed, body.inputs)]
        results = [*(body.results[k] for k in carries), *(outs[k] for k in kept_outs), *more]
        lean = body.part(inputs, results, draws=True)
        if lean is None:
            return
        values = self.sizes.values
        new = Loop(
            how._replace(carries=len(carries), rows=how.rows + len(first)),
            lean,
            [values[k] for k in results],
            [values[k] for k in inputs],
        )
        args = list(self.v.inputs)
        rows, fixed = args[how.carries : how.carries + how.rows], args[how.carries + how.rows :]
        self.before, early_rows = self._at_once(first, [], [], rows, fixed) if first else ([], [])
        loop_args = [*(args[k] for k in carries), *rows, *early_rows, *fixed]
        self.loop = Value(new, tuple(loop_args), {}, new.example(), place=self.v.place, name=self.v.name)
        places = {body_k: len(carries) + place for place, body_k in enumerate([*(outs[k] for k in kept_outs), *more])}
        self.after: list[Value] = []
        selects: dict[int, Value] = {}

        def part(place: int) -> Value:
            if place not in selects:
                selects[place] = value_of(select, self.loop, index=place, place=self.v.place)
                self.after.append(selects[place])
            return selects[place]

        made = [part(places[k]) for k in sorted(given)]
        starts = [args[k] for k in self.sums]
        late, late_values = self._behind(late_rows, sum_terms, sorted(given), made, rows, fixed, starts)
        self.after += late
        found: dict[int, Value] = {how.carries + k: x for k, x in zip(late_rows, late_values, strict=False)}
        found |= dict(zip(self.sums, late_values[len(late_rows) :], strict=True))
        self.replaced: dict[Value, Value] = {}
        for old in self.parts:
            index = old.params["index"]
            if index in found:
                self.replaced[old] = found[index]
            elif index < how.carries:
                self.replaced[old] = part(carries.index(index))
            else:
                self.replaced[old] = part(len(carries) + kept_outs.index(index - how.carries))
        if any((a.shape, a.dtype, a.weak) != (b.shape, b.dtype, b.weak) for a, b in self.replaced.items()):
            return
        self.pays = True

    def _at_once(
        self, wanted: Sequence[int], given: Sequence[int], made: Sequence[Value], rows: Sequence[Value], fixed: Any
    ) -> tuple[list[Value], list[Value]]:
        """Instructions for these values of all steps, of given ones of all steps, rows, and what stays the same."""
        return self._inline(lambda values: self._batch(wanted, given, values), made, rows, fixed)

    def _batch(self, wanted: Sequence[int], given: Sequence[int], values: Sequence[Any]) -> list[Any]:
        """These values of all steps, from given ones, rows and fixed ones."""
        body = self.source.body
        inputs = [*given, *range(self.first_row, self.first_fixed), *range(self.first_fixed, body.inputs)]
        part = body.part(inputs, wanted)
        assert part is not None
        moving = [True] * (len(given) + self.first_fixed - self.first_row) + [False] * (body.inputs - self.first_fixed)
        found = over_batch(part, values, moving, self.n, "a loop")
        return [y if m else rec.broadcast_to(y, (self.n, *as_tensor(y).shape)) for y, m in found]

    def _behind(
        self,
        rows_out: Sequence[int],
        sums: dict[int, list[int]],
        given: Sequence[int],
        made: Sequence[Value],
        rows: Sequence[Value],
        fixed: Sequence[Value],
        starts: Sequence[Value],
    ) -> tuple[list[Value], list[Value]]:
        """Instructions for rows that come out, and for the sums of all steps."""
        body, how = self.source.body, self.source.how
        outs = body.results[how.carries :]
        empty = [v.constant and not np.any(v.example) for v in starts]

        def f(values: list[Tensor]) -> list[Any]:
            own, begin = values[: len(values) - len(starts)], values[len(values) - len(starts) :]
            products = {x: self._product(x) for terms in sums.values() for x in terms}
            wanted = [outs[k] for k in rows_out]
            for x, pair in products.items():
                wanted += [x] if pair is None else pair[:2]
            unique = list(dict.fromkeys(wanted))
            at = dict(zip(unique, self._batch(unique, given, own), strict=True))
            results = [at[outs[k]] for k in rows_out]
            for terms, start, is_empty in zip(sums.values(), begin, empty, strict=True):
                total: Any = start
                for x in terms:
                    pair = products[x]
                    if pair is not None:
                        total = rec.add(total, _summed(at[pair[0]], at[pair[1]], pair[2]))
                    elif is_empty:
                        total = rec.add(total, rec.sum(at[x], axis=0))
                    else:  # in the order of the loop: a large start may keep the sum from overflowing
                        total = rec.sum(rec.concat([rec.expand_dims(total, 0), at[x]], axis=0), axis=0)
                results.append(total)
            return results

        return self._inline(f, made, rows, [*fixed, *starts])

    def _inline(
        self, f: Any, made: Sequence[Value], rows: Sequence[Value], fixed: Sequence[Value]
    ) -> tuple[list[Value], list[Value]]:
        """The instructions of f of these values."""
        values = [*made, *rows, *fixed]
        shown = lazily if all(by_form(s.op) for s in self.source.body.steps) else elements
        body, _ = traced(f, [shown(v.example) for v in values])
        values += map(constant, body.constants)
        for s in body.steps:  # typed by what these values are, which may be known
            inputs = [values[k] for k in s.operands]
            sure = all(i.constant or i in self.known for i in inputs)
            examples = [i.example if sure else shown(i.example) for i in inputs]
            values.append(value_of(s.op, *inputs, place=s.place or self.v.place, examples=examples, **s.params))
            if sure:
                self.known.add(values[-1])
        return values[body.first :], [values[k] for k in body.results]


def by_form(op: Op) -> bool:
    """Whether arrays that have no elements as yet are enough to tell of what shape and dtype a result is."""
    home = getattr(op.plain, "__module__", None) or ""
    return not home.startswith(_BY_VALUE)


def _summed(a: Tensor, b: Tensor, turned: bool) -> Any:
    """The sum of the products of two rows of matrices, as one product; of the first, or of its transposes."""
    b = rec.reshape(b, (b.shape[0] * b.shape[1], b.shape[2]))
    if turned:
        return rec.matmul(rec.transpose(rec.reshape(a, (a.shape[0] * a.shape[1], a.shape[2]))), b)
    return rec.matmul(rec.reshape(rec.transpose(a, axes=(1, 0, 2)), (a.shape[1], a.shape[0] * a.shape[2])), b)


def _is_basic(key: Any) -> bool:
    parts: Iterable[Any] = key if isinstance(key, tuple) else (key,)
    return all(p is None or p is Ellipsis or isinstance(p, (slice, int, np.integer)) for p in parts)
