"""Which numbers of a result depend on which numbers of the arguments: index sets, carried through a recorded graph.

The pattern holds wherever the function takes the same course, not for the values of one point: no product is looked at
for accidental zeros. Where an op's structure is not known it is taken to be full, so a pattern is never too small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from ..compiler.values import same
from ..core.errors import OutOfMemory
from ..core.mode import MODE, Mode, Witness, under
from ..core.node import DIFFERENTIABLE, TRACED, TRANSFORMED, Node
from ..core.tensor import select
from ..core.tree import flatten
from ..transforms.tracing import Tape
from .links import SAME, Chain, link, looked

sparse: Any = scipy.sparse  # of SciPy's optional stubs
Matrix = Any  # a sparse boolean matrix in CSR form
_MOST = 1 << 28  # entries that one op makes


class Followed(Witness):
    """What depends on the inputs of a tape, through comparisons, integers and `detach` too.

    A derivative does not pass there; but a mask or an index that was computed from the inputs is no constant.
    """

    apart = True

    def __init__(self) -> None:
        self.known: dict[int, Any] = {}  # by their arrays, which are held so that no other takes their place

    def made(self, node: Any, op: Any, inputs: tuple[Any, ...], params: Any) -> None:
        if any(i.live & DIFFERENTIABLE or self.follows(i) for i in inputs):
            for data in node.data if op.many else (node.data,):
                self.add(data)

    def add(self, data: Any) -> None:
        """A value hangs on the inputs."""
        self.known[id(data)] = data

    def follows(self, node: Node) -> bool:
        """Whether a value hangs on the inputs."""
        return id(node.data) in self.known


def followed(f: Callable[..., Any], make: Callable[[Callable[..., Any]], Tape]) -> tuple[Tape, Followed]:
    """The tape that is made of f, and what of it hangs on the inputs."""
    outer, watch = MODE.get(), Followed()

    def run(*xs: Any) -> Any:
        for leaf in flatten(xs)[0]:
            watch.add(leaf.node.data)
        return f(*xs)

    if outer is None:
        return under(Mode(True, None, None, None, (watch,)), make, run), watch
    mode = Mode(outer.differentiable, outer.observe, outer, None, (*outer.witnesses, watch))
    return under(mode, make, run), watch


class Facts:
    """All that a pattern is made of: the ops of a run, how they hang together, and the constants that count.

    Two runs that are alike have one pattern. `places` are those of the values that may be others when a compiled
    function runs again, each with what of them counts.
    """

    def __init__(
        self, steps: list[Any], values: list[Any], places: list[tuple[int, Any]], origin: Facts | None = None
    ) -> None:
        self.steps, self.values, self.places, self.origin = steps, values, places, origin

    def kept(self) -> Facts:
        """The same, whatever happens to the arrays."""
        return Facts(self.steps, [np.array(v) for v in self.values], self.places)

    def with_values(self, arrays: list[Any]) -> Facts:
        """The same with other values at `places`."""
        if not arrays:
            return self
        values = list(self.values)
        for (k, look), array in zip(self.places, arrays, strict=True):
            values[k] = look(array)
        return Facts(self.steps, values, self.places, self)

    def is_like(self, other: Facts) -> bool:
        """Whether another run took the same course. If so, they share what is equal, to be quicker next time."""
        if self is other:
            return True
        if self.steps is not other.steps and not _equal(self.steps, other.steps):
            return False
        (self.origin or self).steps = self.steps = other.steps
        if self.values is other.values:
            return True
        if not same(self.values, other.values):
            return False
        if not self.places:
            self.values = other.values
        return True


def _equal(a: Any, b: Any) -> bool:
    try:
        return bool(a == b) or same(a, b)
    except Exception:  # arrays among the parameters, or what cannot be compared
        try:
            return same(a, b)
        except Exception:
            return False


class Course:
    """A run of a function, with what its pattern is made of."""

    def __init__(self, tape: Tape, watch: Followed) -> None:
        self.tape = tape
        place: dict[Node, int] = {n: k for k, n in enumerate(tape.inputs)}
        self.nodes = [n for n in tape.trail.nodes if n not in place]
        place |= {n: len(tape.inputs) + k for k, n in enumerate(self.nodes)}
        self.seen: dict[Node, dict[int, Any]] = {}  # of each node what of its constant arguments counts
        self.traced: list[Node] = []  # constants that may be others when a compiled function runs again
        steps: list[Any] = [[np.shape(n.data) for n in tape.inputs]]
        values: list[Any] = []
        places: list[tuple[int, Any]] = []
        for n in self.nodes:
            found: dict[int, Any] = {}
            for k, look in looked(n).items():
                i = n.inputs[k]
                if i in place or i.live & (DIFFERENTIABLE | TRANSFORMED) or watch.follows(i):
                    continue
                found[k] = look(i.data)
                if i.live & TRACED:
                    places.append((len(values), look))
                    self.traced.append(i)
                values.append(found[k])
            self.seen[n] = found
            given = [place[i] if i in place else _shape(i) for i in n.inputs]
            steps.append((n.op, given, _shape(n), list(found), dict(n.params)))
        steps.append([(place.get(y.node), y.shape) for y in tape.outputs])
        self.facts = Facts(steps, values, places)


def _shape(n: Node) -> Any:
    return [np.shape(part) for part in n.data] if n.op is not None and n.op.many else np.shape(n.data)


def dependence(course: Course) -> Matrix:
    """The pattern of the Jacobian of what was recorded, (outputs, inputs)."""
    tape = course.tape
    sizes = [int(np.size(n.data)) for n in tape.inputs]
    ends = np.cumsum([0, *sizes]).tolist()
    width = ends[-1]
    known: dict[Node, Any] = {}
    for n, start, size in zip(tape.inputs, ends, sizes, strict=False):
        at = np.arange(size + 1)
        known[n] = sparse.csr_array((np.ones(size, bool), at[:-1] + start, at), shape=(size, width))
    for n in course.nodes:
        known[n] = _carried(n, known, course.seen[n], width)
    blocks = [known[y.node] if y.node in known else _nothing(y.size, width) for y in tape.outputs]
    return sparse.csr_array(sparse.vstack(blocks, format="csr")) if blocks else _nothing(0, width)


def _nothing(size: int, width: int) -> Matrix:
    return sparse.csr_array((size, width), dtype=bool)


def _carried(n: Node, known: dict[Node, Any], seen: dict[int, Any], width: int) -> Any:
    """The pattern of one value, from those of its arguments; of a many-valued one, of each part."""
    op = n.op
    assert op is not None
    if op is select:
        return known[n.inputs[0]][n.params["index"]]
    if op.hides:  # a loop that hands on its results
        return [known[i] if i in known else _nothing(int(np.size(i.data)), width) for i in n.inputs]
    if op.many:
        return [_joined(n, known, seen, width, k) for k in range(len(n.data))]
    return _joined(n, known, seen, width, None)


def _joined(n: Node, known: dict[Node, Any], seen: dict[int, Any], width: int, part: int | None) -> Matrix:
    size = int(np.size(n.data if part is None else n.data[part]))
    total: Any = None
    for k, i in enumerate(n.inputs):
        if i in known:
            own = _through(n, link(n, k, seen, part), known[i], size)
            total = own if total is None or total is own else sparse.csr_array(total + own)
    return _nothing(size, width) if total is None else total


def _refuse_full(n: Node, count: int) -> None:
    """Raise where an op makes more entries than a sparse matrix is for."""
    if count > _MOST:
        assert n.op is not None
        raise OutOfMemory(
            f"sparsity: {count:.2g} numbers may differ from 0 among the derivatives of {n.op.name} in x, too many for "
            "a sparse matrix; take hvp, or an operator of curvature"
        )


def _through(n: Node, step: Any, pattern: Matrix, size: int) -> Matrix:
    """The pattern of what hangs on something with a pattern by a link of this node."""
    if step is SAME:
        return pattern
    if step is None:
        columns = np.unique(pattern.indices)
        _refuse_full(n, len(columns) * size)
        ends = np.arange(size + 1) * len(columns)
        return sparse.csr_array((np.ones(ends[-1], bool), np.tile(columns, size), ends), shape=(size, pattern.shape[1]))
    if isinstance(step, Chain):
        for one in step.steps:
            pattern = _through(n, one, pattern, size)
        return pattern
    if isinstance(step, np.ndarray):
        there = step >= 0
        _refuse_full(n, int(np.diff(pattern.indptr)[step[there]].sum(dtype=np.int64)))
        if there.all():
            return pattern[step]
        ends = np.concatenate([[0], np.cumsum(there)])
        step = sparse.csr_array((np.ones(ends[-1], bool), step[there], ends), shape=(size, pattern.shape[0]))
    return sparse.csr_array(step @ pattern, dtype=bool)
