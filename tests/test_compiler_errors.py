"""Errors in compiled programs: the one that the function itself raises, of the user's ops and of ours."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

import tinygrad_math as tm

BACKENDS = ["numpy", *(["native"] if importlib.util.find_spec("llvmlite") else [])]


# -- of the user's own ops --------------------------------------------------------------------------------------
class Mine(ValueError):
    """An error of a user's."""


class Imprecise(ArithmeticError):
    """Another."""


KINDS = [
    *(Mine, Imprecise, ValueError, TypeError, IndexError, ZeroDivisionError, FloatingPointError, np.linalg.LinAlgError),
    *(KeyError, AssertionError, tm.MatrixError),
]
PROGRAMS = {
    "value": lambda op: lambda x: op(x).sum(),
    "value_and_grad": lambda op: tm.value_and_grad(lambda x: op(x).sum()),
    "grad of what the slopes do not need": lambda op: tm.grad(lambda x: op(x).sum()),
    "scan": lambda op: lambda x: tm.scan(lambda c, r: (op(c) - r, c), x, np.ones((4, 2))),
    "fori_loop": lambda op: lambda x: tm.fori_loop(3, lambda i, c: op(c) - 3.0, x),
    "while_loop": lambda op: lambda x: tm.while_loop(lambda c: tm.sum(c) < 99.0, lambda c: op(c) + 1.0, x),
    "vmap": lambda op: tm.vmap(lambda x: op(x) * 3.0),
    "a compiled function within": lambda op: (lambda g: lambda x: g(x) * 2.0)(tm.compile(lambda x: op(x) + 1.0)),
}


class Raising:
    """An op that raises for negative numbers; what it has raised, and how often it has run."""

    def __init__(self, kind):
        self.raised, self.runs = [], 0

        @tm.primitive
        def doubled(x):
            self.runs += 1
            if np.any(np.asarray(x) < 0):
                self.raised.append(kind("of mine"))
                raise self.raised[-1] from KeyError("its cause")
            return 2.0 * x

        self.op = doubled.defvjp(lambda g, y, x: 2.0 * g)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_what_an_op_of_the_users_raises_comes_out_as_it_is(name, backend):
    for kind in KINDS if name == "value" else KINDS[:3]:
        for compiled in (False, True):
            mine = Raising(kind)
            f = PROGRAMS[name](mine.op)
            f = tm.compile(f, backend=backend) if compiled else f
            good = np.array([[4.0, 5.0], [6.0, 7.0]]) if name == "vmap" else np.array([4.0, 5.0])
            f(good)
            before = mine.runs
            with pytest.raises(kind) as caught:
                f(-good)
            assert [caught.value] == mine.raised
            assert isinstance(caught.value.__cause__, KeyError)
            assert mine.runs == before + 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_op_of_the_users_keeps_its_name_where_it_is_compiled(backend):
    """Also where it is called as an op of ours, and one whose result has another type than before."""

    @tm.primitive
    def exp(x):
        return x[x > 0]

    f = tm.compile(lambda x: exp(x) + 1.0, backend=backend)
    f(np.ones(3))
    assert exp.name == exp.__name__ == "exp"
    texts = [str(f.program), f.source, str(f.program.profile(np.ones(3), repeat=1))]
    with pytest.raises(tm.errors.MathError, match="made for") as caught:
        f.program.run(-np.ones(3))
    for text in [*texts, str(caught.value)]:
        assert "exp" in text
        assert "_as_traced" not in text
        assert "_of_user" not in text


# -- of what no result needs ------------------------------------------------------------------------------------
A, V, I = np.eye(2), np.ones(3), np.array([1])


def written_nowhere(x, i):
    y = x.copy()
    y[i] = 0.0
    return x.sum()


UNUSED = {  # a function, arguments that are as they should be, and others
    "cholesky": (lambda x: (tm.linalg.cholesky(x), x.sum())[1], (A,), (-A,)),
    "inv": (lambda x: (tm.linalg.inv(x), x.sum())[1], (A,), (0 * A,)),
    "svd": (lambda x: (tm.linalg.svd(x), x.sum())[1], (A,), (np.nan * A,)),
    "eigvalsh": (lambda x: (tm.linalg.eigvalsh(x), x.sum())[1], (A,), (np.nan * A,)),
    "index": (lambda x, i: (x[i], x.sum())[1], (V, I), (V, I + 6)),
    "index of what is linear": (lambda x, i: tm.hvp(lambda x: x[i].sum(), x, x), (V, I), (V, I + 6)),
    "assignment": (written_nowhere, (V, I), (V, I + 6)),
    "row of a scan": (lambda x, i: tm.scan(lambda c, k: (c + 1.0, x[k]), x.sum(), i)[0], (V, I), (V, I + 6)),
    "one_hot": (lambda i: (tm.nn.functional.one_hot(i, 3), i)[1], (I,), (I + 6,)),
    "a scale": (lambda s: (tm.random.normal(0.0, s), s * 2.0)[1], (1.0,), (-1.0,)),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", UNUSED)
def test_an_op_whose_value_no_result_needs_raises_all_the_same(name, backend):
    f, good, bad = UNUSED[name]
    g = tm.compile(f, backend=backend)
    np.testing.assert_array_equal(g(*map(tm.tensor, good)).numpy(), f(*map(tm.tensor, good)).numpy())
    with pytest.raises(tm.errors.MathError) as want:
        f(*map(tm.tensor, bad))
    with pytest.raises(type(want.value)):
        g(*map(tm.tensor, bad))


@pytest.mark.parametrize(
    ("f", "op", "x"),
    [
        (lambda x: tm.linalg.slogdet(x)[1], "slogdet", A + 0.1),
        (tm.linalg.det, "det", A + 0.1),
        (lambda x: tm.exp(x).sum(), "sum", A),
    ],
)
def test_a_gradient_does_not_compute_a_value_for_errors_that_it_raises_itself(f, op, x):
    g = tm.compile(tm.grad(f))
    g(x)
    assert op not in [v.title for v in g.program.body]
    if op != "sum":
        with pytest.raises(tm.MatrixError):
            g(np.nan * x)
