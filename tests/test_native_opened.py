"""Arguments that machine code takes apart: all else than the usual is left to Python, which says whether it fits."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.errors import MathError
from tinygrad_math.core.node import Node
from tinygrad_math.core.tensor import wrap

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from tinygrad_math.compiler.native.opened import Leaf, opener

MATRIX = Leaf(np.ndarray, np.dtype(float), (3, 2), False)
NUMBER = Leaf(float, None, (), False)


class Named(np.ndarray):
    pass


def test_the_usual_arrays_and_numbers_are_taken_out_of_tensors_or_as_they_are():
    x, y = np.ones((3, 2)), np.arange(12.0).reshape(3, 4)[:, ::2]
    take = opener([MATRIX, NUMBER, MATRIX])
    held = [sys.getrefcount(z) for z in (x, y)]
    for given in (x, wrap(Node(x))):
        found = take(given, 0.5, y)
        assert found[0] is x
        assert found[1:] == (0.5, y) or found[2] is y
    del found, given
    assert held == [sys.getrefcount(z) for z in (x, y)]


@pytest.mark.parametrize(
    "given",
    [
        np.ones((3, 2), np.float32), np.ones((2, 3)), np.ones((3, 2, 1)), np.ones(3), np.ones((3, 2)).view(Named),
        np.ones((3, 2), ">f8"), [[1.0, 2.0]] * 3, 1.0, tm.tensor(np.ones((3, 2)), requires_grad=True),
        tm.tensor(np.ones((3, 2)), requires_grad=True) * 2.0, tm.nn.Linear(3, 2, rng=0).weight, np.float64(2.0),
    ],
    ids=lambda x: type(x).__name__,
)  # fmt: skip
def test_all_else_is_left_to_python(given):
    before = sys.getrefcount(given)
    assert opener([MATRIX])(given) is None
    assert opener([MATRIX, NUMBER])(given, 0.5) is None
    assert sys.getrefcount(given) == before
    assert opener([MATRIX])() is None
    assert opener([MATRIX])(np.ones((3, 2)), given) is None


@pytest.mark.parametrize("number", [1, True, np.float64(1.0), np.float32(1.0), np.array(1.0), "1.0"])
def test_a_number_of_another_type_is_left_to_python(number):
    assert opener([NUMBER])(number) is None
    kind = Leaf(type(number), None, (), False)
    assert type(number) is np.ndarray or opener([kind])(number) == (number,)


def two():
    return [np.full((3, 2), 1.5), np.ones(2)]


def alone():
    return [wrap(Node(x)) for x in two()], None


def held_too():
    x, b = two()
    return [wrap(Node(x)), wrap(Node(b))], b


def a_view():
    x, b = two()
    return [wrap(Node(x)), wrap(Node(b[:]))], b


def twice_in_tensors():
    x = np.ones((2, 2))
    return [wrap(Node(x)), wrap(Node(x))], None


def one_tensor_twice():
    x = wrap(Node(np.ones((2, 2))))
    return [x, x], None


def turned():
    x, b = two()
    return [wrap(Node(np.asfortranarray(x))), wrap(Node(b))], None


def bare():
    return two(), None


def in_a_graph():
    x, b = (wrap(Node(x)) for x in two())
    return [x, b], x * 2.0


def read_only():
    x, b = two()
    b.flags.writeable = False
    return [wrap(Node(x)), wrap(Node(b))], None


def taken():
    x, b = two()
    tensors = [wrap(Node(x)), wrap(Node(b))]
    tm.compile(lambda p: [p[0] * 2.0, p[1] * 2.0], donate_argnums=0)(tensors)
    return tensors, None


def data_of(z):
    return z if isinstance(z, np.ndarray) else z.node.data


def address(z):
    """Where data lie; None of a Tensor whose memory was taken."""
    return None if type(getattr(z, "node", None)) not in (Node, type(None)) else data_of(z).ctypes.data


HELD = [
    alone, held_too, a_view, twice_in_tensors, one_tensor_twice, turned, bare, in_a_graph, read_only, taken,
]  # fmt: skip


@pytest.mark.parametrize("make", HELD, ids=lambda f: f.__name__)
def test_memory_is_handed_on_as_in_programs_of_numpy(make):
    """What is returned, what others hold, which memory the results have and whose it was, and the errors."""

    def outcome(backend):
        f = tm.compile(lambda p, s: [p[0] * s + 1.0, p[1] - s], donate_argnums=0, backend=backend)
        usual = alone() if make is taken else make()
        f([wrap(Node(np.array(data_of(z), order="C"))) for z in usual[0]], 0.5)
        found = []
        for _ in range(2):
            given, kept = make()
            where = [address(z) for z in given]
            try:
                out = f(given, 0.5)
            except MathError as error:
                found.append((type(error), str(error)))
                continue
            found.append([z.numpy().tolist() for z in out])
            found.append([address(z) == w for z, w in zip(out, where, strict=True)])
            found.append(None if kept is None else np.asarray(data_of(kept)).tolist())
            found.append([type(z) is tm.Tensor and type(z.node) is Node for z in given])
        return found

    assert outcome("native") == outcome("numpy")
    if make is alone:
        assert outcome("native")[1] == [True, True]


def test_memory_that_surrounds_the_function_is_not_written_over():
    x = wrap(Node(np.ones((3, 2))))
    f = tm.compile(lambda p: [p[0] * 2.0 + x], donate_argnums=0, backend="native")
    for _ in range(3):
        (out,) = f([x])
        np.testing.assert_array_equal(x.numpy(), np.ones((3, 2)))
        np.testing.assert_array_equal(out.numpy(), np.full((3, 2), 3.0))
