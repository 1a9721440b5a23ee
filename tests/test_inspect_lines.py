"""Every value can tell the line that made it, and nothing else changes by that."""

import inspect
import threading

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.mode import MODE


def leaf(*values):
    return tm.tensor(np.array(values), requires_grad=True)


def here():
    return inspect.currentframe().f_back.f_lineno


def test_a_value_tells_the_line_that_made_it_and_its_text():
    x = leaf(1.0, 2.0)
    with tm.inspect.noted_lines():
        y, line = tm.sin(x) * 2.0, here()
    place = tm.inspect.line_of(y)
    assert (place.file, place.line) == (__file__, line)
    assert place.text == "y, line = tm.sin(x) * 2.0, here()"
    assert tm.inspect.line_of(y.node.inputs[0]).line == line
    assert tm.inspect.line_of(x * 2.0) is None
    assert MODE.get() is None


def test_values_without_a_derivative_have_a_line_and_are_still_leaves():
    with tm.inspect.noted_lines():
        y, line = tm.tensor([1.0, 2.0]) * 3.0, here()
        y.requires_grad = True
        with tm.no_grad():
            z = leaf(1.0) + 1.0
    assert y.is_leaf
    assert tm.inspect.line_of(y).line == line
    assert tm.inspect.line_of(z).line == line + 3
    assert not z.requires_grad


def test_the_line_of_a_recorded_derivative_says_so():
    x = leaf(2.0)
    with tm.inspect.noted_lines():
        y = tm.sin(x).sum()
        (g,) = tm.grad_of(y, [x], create_graph=True)
    assert any(
        i.meta is not None and i.meta.place is not None and i.meta.place.prefix == "gradient of " for i in g.node.inputs
    )


def test_lines_are_noted_in_an_assignment_a_many_valued_op_and_a_compiled_call():
    double = tm.compile(lambda x: x * 2.0)
    with tm.inspect.noted_lines():
        y = leaf(*np.arange(2000.0)).copy()
        y[3], line = 1.0, here()
        assert tm.inspect.line_of(y).line == line
        q, line = tm.linalg.qr(leaf(2.0, 1.0).reshape(1, 2))[0], here()
        assert tm.inspect.line_of(q).line == line
        z, line = double(leaf(1.0)), here()
        assert tm.inspect.line_of(z).line == line
        parts, line = tm.linalg.eigh(np.eye(2)), here()
        assert tm.inspect.line_of(parts[0]).line == line


def test_a_trace_inside_and_outside_of_the_block_gives_the_same_program():
    def f(x):
        y = tm.exp(x) * x
        return y.sum()

    def inside(x):
        with tm.inspect.noted_lines():
            return f(x)

    plain, within, around = tm.compile(f), tm.compile(inside), tm.compile(f)
    x = np.ones(3)
    with tm.inspect.noted_lines():
        assert around(x) == plain(x) == within(x)
    bodies = [[v.title for v in p.program.body] for p in (plain, within, around)]
    assert bodies[0] == bodies[1] == bodies[2]
    assert all(v.place.function for v in within.program.body)


def test_a_block_belongs_to_its_thread_and_a_function_can_be_decorated():
    found = []

    @tm.inspect.noted_lines()
    def f(x):
        return x * 2.0

    with tm.inspect.noted_lines():
        thread = threading.Thread(target=lambda: found.append(tm.inspect.line_of(leaf(1.0) * 2.0)))
        thread.start()
        thread.join()
    assert found == [None]
    assert tm.inspect.line_of(f(leaf(1.0))).text == "return x * 2.0"
    assert f.__name__ == "f"


def test_gradients_are_the_same_bit_for_bit():
    def gradient():
        x = leaf(0.3, 0.7)
        y = x.copy()
        y[0] = y[1] * 2.0
        (tm.tanh(y) @ tm.exp(y)).backward()
        return x.grad.numpy()

    plain = gradient()
    with tm.inspect.noted_lines():
        assert (gradient() == plain).all()
        h = tm.hessian(lambda x: (x**3).sum())(np.ones(2))
    assert (h.numpy() == 6 * np.eye(2)).all()


@pytest.mark.parametrize("odd", [np.ones(2), None, "y", 3])
def test_the_line_of_what_is_no_tensor_is_a_named_error(odd):
    with pytest.raises(tm.DTypeError, match=r"line_of takes a Tensor .* noted_lines"):
        tm.inspect.line_of(odd)
