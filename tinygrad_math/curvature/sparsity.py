"""Sparse Jacobians and Hessians: the pattern once, then as many products as the pattern has colours."""

from __future__ import annotations

import math
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from copy import copy
from itertools import count
from typing import Any, Literal

import numpy as np
import scipy.sparse

from ..compiler import compile
from ..compiler.cache import backend_of
from ..core.arguments import named
from ..core.errors import ArgumentError, DTypeError, describe
from ..core.quiet import ignoring
from ..core.tensor import as_tensor, rec, wrap
from ..core.tree import flatten
from ..transforms.batching.forward import Pushing
from ..transforms.batching.trace import Recording
from ..transforms.matrices import gradient_tape
from ..transforms.tracing import Tape
from .colouring import entries, number
from .matrices import Array, Flat, array_of
from .pattern import Pattern
from .structure import Course, Facts, dependence, followed

Fn = Callable[..., Any]
sparse: Any = scipy.sparse  # of SciPy's optional stubs

__all__ = ["Pattern", "sparse_hessian", "sparse_jacobian", "sparsity"]

_AT_ONCE = 1 << 24  # numbers in the products that are taken together


def _tape(f: Fn, x: Any, kind: str) -> Tape:
    if kind == "hessian":
        return gradient_tape(f, [x], "sparse_hessian")
    tape = Tape(f, [x], "sparse_jacobian")
    for y in tape.outputs:
        if y.dtype.kind not in "fc":
            raise DTypeError(f"sparse_jacobian needs floating results, got {describe(y)}")
    return tape


@named
def sparsity(f: Fn, x: Any, kind: Literal["hessian", "jacobian"] | None = None) -> Pattern:
    """The pattern of the Hessian of f, which returns one number, or of the Jacobian of f, which returns more.

    Arguments: `x` a tree or Module of n real numbers; `kind` "hessian" or "jacobian", if it is not to follow from
    what f returns. The pattern is of the function as it was run at x, and holds at every x at which it runs alike;
    constant factors count by their zeros, values that depend on x never do.

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> print(tm.curvature.sparsity(lambda x: (x[1:] * x[:-1]).sum(), np.ones(4)).text())
    hessian 4x4, 6 entries (37.5%), 2 products
    ·█··
    █·█·
    ·█·█
    ··█·
    """
    if kind is None:
        outputs = Tape(f, [x], "sparsity").outputs
        kind = "hessian" if len(outputs) == 1 and not outputs[0].shape else "jacobian"
    course = Course(*followed(f, lambda run: _tape(run, x, kind)))
    pattern = Pattern.of(_found(course, kind), kind, _has_rows(course))
    pattern.course = course.facts.kept()
    return pattern


_known: dict[int, tuple[Any, dict[Any, Any]]] = {}  # by its id a function, while it lives, and what is kept of it
_courses: OrderedDict[int, Facts] = OrderedDict()  # of the functions that were compiled, by the number they return
_running: list[_Kept] = []  # those with a program
_numbers = count()
_COURSES, _PROGRAMS = 1024, 64  # that are kept


def _cache(f: Fn) -> dict[Any, Any]:
    """What is kept for a function as long as it lives: for itself, and not for what is equal to it."""
    key = id(f)
    here, cache = _known.get(key, (None, {}))
    if here is None or here() is not f:

        def forget(_: Any) -> None:
            _known.pop(key, None)

        try:
            here = weakref.ref(f, forget)
        except TypeError:  # it cannot be referred to weakly
            return {}
        _known[key] = here, (cache := {})
    return cache


def _products(f: Fn, kind: str, x: Any, forward: list[Any], backward: list[Any]) -> tuple[list[Any], Course]:
    """The products with all vectors, forward ones first, each as (vectors, numbers), and the course that f took."""
    course = Course(*followed(f, lambda run: _tape(run, x, kind)))
    return _walked(course.tape, forward, backward), course


def _walked(tape: Tape, forward: list[Any], backward: list[Any]) -> list[Any]:
    return [*(_pushed(tape, v) for v in forward), *(_pulled(tape, v) for v in backward)]


def _pushed(tape: Tape, vectors: list[Any]) -> Any:
    given = [as_tensor(v) for v in vectors]
    walk: Any
    if Pushing.suits(tape.trail):
        walk = Pushing(tape.trail, tape.inputs, [y.node for y in tape.outputs], "sparse")
    else:
        walk = Recording(tape.push, given, "sparse")
    return _joined(walk.run(given, len(vectors[0])), len(vectors[0]))


def _pulled(tape: Tape, vectors: Any) -> Any:
    rows, given, start = as_tensor(vectors), [], 0
    for y in tape.outputs:
        part = rec.reshape(rows[:, start : start + y.size], (rows.shape[0], *y.shape))
        given.append(rec.astype(part, y.dtype) if y.dtype.kind == "f" else part)
        start += y.size
    return _joined(Recording(tape.pull, given, "sparse").run(given, rows.shape[0]), rows.shape[0])


def _joined(found: list[tuple[Any, bool]], many: int) -> Any:
    parts = []
    for y, moves in found:
        y = as_tensor(y) if moves else rec.broadcast_to(as_tensor(y), (many, *as_tensor(y).shape))
        parts.append(rec.reshape(y, (many, math.prod(y.shape[1:]))))
    return parts[0] if len(parts) == 1 else rec.concat(parts, axis=1)


def _vectors(colours: Array) -> Iterator[Array]:
    """For each colour the vector with 1 at its places, as rows of matrices that are not too large."""
    step = max(1, _AT_ONCE // max(len(colours), 1))
    for first in range(0, number(colours), step):
        at = np.flatnonzero((colours >= first) & (colours < first + step))
        vectors = np.zeros((min(step, number(colours) - first), len(colours)))
        vectors[colours[at] - first, at] = 1
        yield vectors


class _Seeds:
    """The vectors of the products, as constants of a program: what they alone decide is computed once."""

    __reached__: tuple[str, ...] = ()  # nobody changes them

    def __init__(self, forward: list[Any], backward: list[Any]) -> None:
        self.forward, self.backward = forward, backward

    def vectors(self) -> tuple[list[Any], list[Any]]:
        return self.forward, self.backward


class _Kept:
    """A pattern, the vectors of its products, where its entries are read off, and the compiled products."""

    def __init__(self, x: Any, kind: str, pattern: Pattern) -> None:
        self.kind, self.pattern = kind, pattern
        self.programs: dict[str, Any] = {}  # by their backends
        self.courses: list[tuple[Facts, bool]] = [] if pattern.course is None else [(pattern.course, True)]
        (m, n), rows = pattern.shape, pattern.row_colours
        if kind == "hessian":
            _, _, colour, place = entries(pattern, pattern.colours)
            self.at = colour * m + place
        else:
            i, j = (at.astype(np.int64) for at in sparse.coo_array(pattern).coords)
            by_row = number(pattern.colours) * m + rows[i] * n + j
            self.at = np.where(rows[i] >= 0, by_row, pattern.colours[j] * m + i)
        self.length = number(pattern.colours) * m + number(rows) * n
        self.like = sparse.csr_array((np.zeros(pattern.nnz), pattern.indices, pattern.indptr), shape=(m, n))
        flat = Flat(x, f"sparse_{kind}")
        self.forward, self.backward = [flat.split(v) for v in _vectors(pattern.colours)], list(_vectors(rows))

    def judged(self, course: Facts | None) -> bool | None:
        """Whether the pattern is known to be right for a run, or to be in doubt; None if it is not known."""
        if course is None:
            return None
        return next((sure for known, sure in self.courses if course.is_like(known)), None)

    def judge(self, course: Facts, sure: bool | None) -> None:
        """From here on it is known whether the pattern is right for such runs."""
        self.courses = [(course, bool(sure)), *self.courses[:7]]

    def compiled(self, f: Fn, x: Any, backend: str) -> tuple[Any, Facts | None]:
        """The matrix by the compiled products, and the course that f took, if it is known."""
        program = self.programs.get(backend)
        if program is None:
            kind = self.kind
            seeds = _Seeds(self.forward, self.backward)
            program = compile(lambda x: _noted(*_products(f, kind, x, *seeds.vectors())), backend=backend)
            if not self.programs:
                _running.append(self)  # a program holds its function, so not all of them are kept
            self.programs[backend] = program
            for kept in _running[:-_PROGRAMS]:
                kept.programs.clear()
            del _running[:-_PROGRAMS]
        found, key, values = program(x)
        course = _courses.get(int(key))
        return self.matrix(found), course and course.with_values([array_of(v, "a constant") for v in values])

    def matrix(self, found: list[Any]) -> Any:
        """The matrix of derivatives, of its products; None if f has another number of results than the pattern rows."""
        arrays = [array_of(y, f"sparse_{self.kind}").ravel() for y in found]
        read = arrays[0] if len(arrays) == 1 else np.concatenate(arrays or [np.zeros(0)])
        if len(read) != self.length:
            return None
        if read.dtype == np.float16:  # which SciPy's matrices do not know
            read = read.astype(np.float32)
        matrix = copy(self.like)
        matrix.data, matrix.indices, matrix.indptr = (
            read.take(self.at),
            self.like.indices.copy(),
            self.like.indptr.copy(),
        )
        return matrix


def _noted(found: list[Any], course: Course) -> tuple[list[Any], int, list[Any]]:
    """What a compiled run returns: the products, a number by which to find its course, and what that looked at."""
    key = next(_numbers)
    _courses[key] = course.facts.kept()
    if len(_courses) > _COURSES:
        _courses.popitem(last=False)
    return found, key, [wrap(n) for n in course.traced]


def _derivative(f: Fn, x: Any, kind: Literal["hessian", "jacobian"], pattern: Any, compiled: bool | str) -> Any:
    """The matrix by the pattern that is given or kept, if it is right for this run of f: for the constants that f
    closes over now, and the branches that it takes at x. If not, the pattern of the run itself."""
    if not callable(f):
        raise ArgumentError(f"sparse_{kind} takes a function, got {describe(f)}")
    backend = backend_of(f"sparse_{kind}", compiled=compiled)
    leaves, structure = flatten(x)
    arrays = [leaf if isinstance(leaf, np.ndarray) else as_tensor(leaf) for leaf in leaves]
    shapes = tuple([(a.shape, a.dtype) for a in arrays])
    cache, key = _cache(f), (kind, structure, shapes, pattern is not None)
    kept: _Kept | None = cache.get(key)
    if pattern is not None:
        pattern = _fitting(pattern, kind, sum(math.prod(s) for s, _ in shapes))
        if kept is not None and kept.pattern is not pattern and not _equal(kept.pattern, pattern):
            kept = None
    if backend and kept is not None:
        matrix, run = kept.compiled(f, x, backend)
        if matrix is not None and kept.judged(run):
            return matrix
    course = Course(*followed(f, lambda run: _tape(run, x, kind)))
    sure = None if kept is None else kept.judged(course.facts)
    if kept is None or sure is None:
        found, rows = _found(course, kind), _has_rows(course)
        if pattern is not None:
            sure = pattern.shape == found.shape and not (found > sparse.csr_array(pattern)).nnz
            if kept is None:
                if not isinstance(pattern, Pattern) or pattern.kind != kind or not rows:
                    pattern = Pattern.of(pattern, kind, rows)
                kept = cache[key] = _Kept(x, kind, pattern)
        else:
            sure = True
            if kept is None or not _equal(kept.pattern, found):
                kept = cache[key] = _Kept(x, kind, Pattern.of(found, kind, rows))
        kept.judge(course.facts.kept(), sure)
    if backend:
        matrix, run = kept.compiled(f, x, backend)
        if matrix is not None and run is not None:
            if kept.judged(run) is None and _agrees(course.tape, matrix, kind):
                kept.judge(run, sure)  # what is compiled may be recorded otherwise: loops as a whole
            if kept.judged(run) is not None and (sure or _agrees(course.tape, matrix, kind)):
                return matrix
    matrix = kept.matrix(_walked(course.tape, kept.forward, kept.backward))
    if matrix is None:
        many = sum(y.size for y in course.tape.outputs)
        raise ArgumentError(f"sparse_{kind}: the pattern has {kept.pattern.shape[0]} rows, and f gives {many} numbers")
    if not sure and not _agrees(course.tape, matrix, kind):
        raise ArgumentError(
            f"sparse_{kind}: the pattern has no entry where the {kind} is not 0, or it is of another function; "
            "sparsity(f, x) finds it"
        )
    return matrix


def _found(course: Course, kind: str) -> Any:
    """The pattern of a run, without colours."""
    matrix = dependence(course)
    matrix = sparse.csr_array(matrix + matrix.T if kind == "hessian" else matrix)
    matrix.sum_duplicates()
    return matrix


def _has_rows(course: Course) -> bool:
    """Whether products backward tell what a row is: those of complex results mix two."""
    return all(y.dtype.kind != "c" for y in course.tape.outputs)


def _equal(a: Any, b: Any) -> bool:
    return bool(a.shape == b.shape and a.nnz == b.nnz and not (sparse.csr_array(a) != sparse.csr_array(b)).nnz)


def _fitting(pattern: Any, kind: str, count: int) -> Any:
    """A pattern that somebody gives, if it has the shape of one."""
    given = pattern if sparse.issparse(pattern) else np.atleast_2d(array_of(pattern, f"sparse_{kind}") != 0)
    shape = (given.shape[0], count)
    if tuple(given.shape) != shape or (kind == "hessian" and shape[0] != shape[1]):
        raise ArgumentError(f"sparse_{kind}: the pattern {tuple(given.shape)} does not fit x, with {count} numbers")
    return given if isinstance(given, Pattern) else sparse.csr_array(given, dtype=bool)


def _agrees(tape: Tape, matrix: Any, kind: str) -> bool:
    """Whether a product with a random vector is that of the function: a pattern that is too small shows."""
    rng = np.random.default_rng(len(matrix.data))
    vectors = [rng.uniform(0.5, 1.5, np.shape(n.data)).astype(np.asarray(n.data).dtype) for n in tape.inputs]
    pushed = tape.push([as_tensor(v) for v in vectors])
    if sum(t.size for t in pushed) != matrix.shape[0]:
        return False
    v = np.concatenate([np.zeros(0), *map(np.ravel, vectors)])
    true = np.concatenate([np.zeros(0), *(np.ravel(array_of(t, f"sparse_{kind}")) for t in pushed)])
    size = np.abs(matrix) @ np.abs(v) + np.abs(true)
    with ignoring("invalid"):
        return not bool(np.any(np.abs(matrix @ v - true) > 1e-5 * size + 1e-300))


@named
def sparse_hessian(f: Fn, x: Any, pattern: Any = None, compiled: bool | str = False) -> Any:
    """The Hessian of f at x as a SciPy sparse array (n, n), from as many products as its pattern has colours.

    Arguments: `f(x)` gives one number; `x` a tree or Module of n real numbers; `pattern` of `sparsity(f, x)`, or any
    sparse array that has an entry wherever the Hessian may differ from 0; without it the pattern is found at the first
    call and kept for this function and these shapes; where a later run takes another course (a branch, or constants
    that have changed), it is found anew. `compiled` keeps the products as one program too, True as NumPy's; "native"
    and "auto" are `tm.compile`'s backends. A pattern of another function is held against a product with a random
    vector. Values of half precision come in single precision. Raises NonScalarError, ArgumentError.
    Formula: H S, with a column of S for each colour, tells every entry of H apart.
    Source: Gebremedhin, Manne, Pothen 2005, "What color is your Jacobian?".

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> f = lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
    >>> H = tm.curvature.sparse_hessian(f, np.ones(1000))
    >>> H.shape, H.nnz
    ((1000, 1000), 2998)
    """
    return _derivative(f, x, "hessian", pattern, compiled)


@named
def sparse_jacobian(f: Fn, x: Any, pattern: Any = None, compiled: bool | str = False) -> Any:
    """The Jacobian of f at x as a SciPy sparse array (m, n). Arguments as for `sparse_hessian`.

    Columns without a common row share a product, or rows without a common column; where some rows are full, they are
    found backward and the others forward, if that takes fewer products.

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> tm.curvature.sparse_jacobian(lambda x: x[1:] * x[:-1], np.array([1.0, 2.0, 3.0])).toarray()
    array([[2., 1., 0.],
           [0., 3., 2.]])
    """
    return _derivative(f, x, "jacobian", pattern, compiled)
