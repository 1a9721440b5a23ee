"""What a compiled function takes and gives: donated and static arguments, types, copies, source."""

import copy
import enum
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from agreeing import Settings, X, agree, values

import tinygrad_math as tm
from tinygrad_math.compiler import cache, find
from tinygrad_math.compiler.later import later
from tinygrad_math.core.errors import ArgumentError


def helper(x):
    return tm.tanh(x * 1.5)


# -- results, donation, static arguments ----------------------------------------------------------------------
def test_results_that_never_change_are_in_memory_of_their_own():
    table = np.arange(3.0)
    f = tm.compile(lambda x: (x, tm.eye(2), {"t": tm.tensor(table)}))
    gradient = tm.compile(tm.grad(lambda x: tm.sum(2.0 * x)))
    for _ in range(2):
        _, eye, rest = f(X)
        eye[0, 0] = 5.0
        rest["t"].data[...] = 7.0
        g = gradient(X)
        g.data[...] = 0.0
    np.testing.assert_array_equal(f(X)[1].numpy(), np.eye(2))
    np.testing.assert_array_equal(f(X)[2]["t"].numpy(), table)
    np.testing.assert_array_equal(gradient(X).numpy(), [2.0, 2.0, 2.0])


@pytest.mark.parametrize("calls", [1, 3])
def test_donation_overwrites_nothing_that_somebody_else_holds(calls):
    f = tm.compile(lambda a, b: (a + 1.0, b * 10.0), donate_argnums=0)
    g = tm.compile(lambda p: {"w": p["w"] * 2.0}, donate_argnums=-1)
    for _ in range(calls):
        w = np.array([1.0, 2.0, 3.0, 4.0])
        np.testing.assert_array_equal(f(w[:2], w[1:3])[1].numpy(), [20.0, 30.0])
        np.testing.assert_array_equal(w, [1.0, 2.0, 3.0, 4.0])
        view = w[1:]
        f(w, view)
        np.testing.assert_array_equal(view, [2.0, 3.0, 4.0])
        t = tm.tensor([1.0, 2.0, 3.0])
        twin, part = t.detach(), t[1:]
        f(t, X)
        np.testing.assert_array_equal(twin.numpy(), [1.0, 2.0, 3.0])
        np.testing.assert_array_equal(part.numpy(), [2.0, 3.0])
        a, p = np.array([1.0, 2.0]), tm.tensor([1.0, 1.0], requires_grad=True)
        z = tm.sum(p * tm.asarray(a))
        g({"w": a})
        z.backward()
        np.testing.assert_array_equal(p.grad.numpy(), [1.0, 2.0])


def test_static_arguments_are_compared_by_type_and_value():
    f = tm.compile(lambda x, k: tm.copysign(x * abs(k), k), static_argnums=1)
    for k in (1, 1.0, True, 0.0, -0.0, (1,)[0]):
        agree(lambda x: tm.copysign(tm.tensor(x) * abs(k), k), lambda x: f(x, k), np.array([1, 2]))
    runs = []
    g = tm.compile(lambda x, k: (runs.append(1), x)[1], static_argnums="k".count("k"))
    for _ in range(3):
        g(X, float("nan"))
        g(X, (float("nan"), 1))
    assert len(runs) == 2


class Elementwise:
    """An array as PyTorch has: it has the hash of an object, and == gives an answer for each element."""

    def __init__(self, *values):
        self.values = np.array(values)

    def __eq__(self, other):
        return self.values == other.values

    __hash__ = object.__hash__


@pytest.mark.parametrize("static", [(), 1])
def test_an_argument_that_is_another_librarys_array_is_itself_alone(static):
    f = tm.compile(lambda x, k: x * float(k.values.sum()), static_argnums=static)
    one, two = Elementwise(1.0, 2.0), Elementwise(3.0, 4.0)
    for k in (one, two, one, Elementwise(1.0, 2.0), Elementwise(5.0), Elementwise(7.0, 8.0, 9.0), two):
        np.testing.assert_array_equal(f(X, k).numpy(), X * k.values.sum())


def test_a_view_of_memory_that_can_be_written_to_is_read_at_each_call():
    f = tm.compile(lambda x, view: x * view[0])
    memory = bytearray(b"\x02\x03")
    view = memoryview(memory)
    for first in (2, 5, 7):
        memory[0] = first
        for given in (view, memoryview(memory), memoryview(bytes(memory))):
            np.testing.assert_array_equal(f(X, given).numpy(), X * first)


def test_objects_among_the_arguments_are_looked_into():
    class Mode(enum.IntEnum):
        PLUS, MINUS = 1, 2

    s, act = Settings(), [tm.sin]
    f = tm.compile(lambda x, s, g, mode: s(g(x)) if mode == Mode.PLUS else -s(g(x)))
    g = lambda x: act[0](x)  # noqa: E731
    for mode in Mode:
        for change in (lambda: None, lambda: setattr(s, "scale", s.scale + 1), lambda: act.__setitem__(0, tm.cos)):
            change()
            want = s(g(tm.tensor(X)))
            np.testing.assert_allclose(f(X, s, g, mode).numpy(), want.numpy() * (1 if mode == 1 else -1))


def test_positions_are_what_they_say():
    f = lambda x, k: x * 2.0 if k else x  # noqa: E731
    for positions in (1, -1, (1,), [-1], "k", ["k"]):
        for call in (lambda g: g(X, True), lambda g: g(X, k=True), lambda g: g(x=X, k=True)):
            np.testing.assert_array_equal(call(tm.compile(f, static_argnums=positions)).numpy(), 2 * X)
    for wrong in (2, -3, "z", 1.0, [0, "z"], None):
        with pytest.raises(ArgumentError, match="static_argnums"):
            tm.compile(f, static_argnums=wrong)
        with pytest.raises(ArgumentError, match="donate_argnums"):
            tm.compile(f, donate_argnums=wrong)
    with pytest.raises(ArgumentError, match="count from the front"):
        tm.compile(lambda *xs: xs, static_argnums=-1)
    for wrong in ("two", 0, -1, 1.5):
        with pytest.raises(ArgumentError, match="threads"):
            tm.compile(f, threads=wrong)


def test_the_order_of_a_dict_is_part_of_the_tree():
    def f(layers):
        h = 0.0
        for w in layers.values():
            h = tm.tanh(h + w)
        return h

    g = tm.compile(f)
    a, b = np.array(1.0), np.array(2.0)
    for d in ({"a": a, "b": b}, {"b": b, "a": a}, {1: a, 2.0: b}, {2: b, True: a}):
        assert g(d).item() == f({k: tm.tensor(v) for k, v in d.items()}).item()
    assert list(tm.compile(dict)({"b": b, "a": a})) == ["b", "a"]


def test_a_module_with_arrays_and_lists_goes_through_as_an_argument():
    class Scaled(tm.nn.Module):
        def __init__(self):
            super().__init__()
            self.w, self.mean, self.powers = tm.nn.Parameter(np.ones(3)), np.array([1.0, 2.0, 3.0]), [1, 2]

        def forward(self, x):
            return self.w * (x - self.mean) ** self.powers[-1]

    m = Scaled()
    f = tm.compile(lambda m, x: m(x))
    for change in (lambda: None, lambda: m.mean.__setitem__(0, 5.0), lambda: m.powers.append(3)):
        change()
        for _ in range(2):
            np.testing.assert_allclose(f(m, X).detach().numpy(), m(X).detach().numpy())


# -- types that values decide ---------------------------------------------------------------------------------
REAL, TURNED = np.array([[4.0, 1.0], [0.0, 9.0]]), np.array([[0.0, -1.0], [1.0, 0.0]]) + np.eye(2) / 2
TYPED = {
    "eigvals": lambda a: tm.max(tm.real(tm.linalg.eigvals(a))),
    "eig": lambda a: tm.sum(tm.abs(tm.linalg.eig(a)[0])),
    "sqrtm": lambda a: tm.sum(tm.abs(tm.linalg.sqrtm(a - 5.0 * np.eye(2)))),
    "logm": lambda a: tm.linalg.logm(a - 5.0 * np.eye(2)),
    "orth": lambda a: tm.exp(tm.linalg.orth(a - a[1, 1] * np.eye(2))),
    "null_space": lambda a: tm.sum(tm.linalg.null_space(a - a[1, 1] * np.eye(2)) ** 2, axis=0),
    "lstsq": lambda a: tm.linalg.lstsq(tm.concatenate([a, a]) - 0.5 * a[1, 1], np.arange(4.0))[1:3],
}


@pytest.mark.parametrize("name", TYPED)
def test_a_program_bakes_in_no_type_that_came_from_values(name):
    f = TYPED[name]
    matrices = [REAL, TURNED, np.zeros((2, 2)), np.diag([7.0, 6.0]), REAL]
    for order in (matrices, matrices[::-1]):
        g = tm.compile(f)
        for a in order:
            want, got = values(f(tm.tensor(a))), values(g(a))
            for u, v in zip(want, got, strict=True):
                assert (u.shape, u.dtype) == (v.shape, v.dtype)
                np.testing.assert_allclose(u, v, rtol=1e-10, atol=1e-12)


def test_a_primitive_may_return_what_it_likes():
    @tm.primitive
    def positive(x):
        return x[x > 0]

    f = tm.compile(lambda x: tm.exp(positive(x)) + 1.0)
    outer = tm.compile(lambda x: f(x) * 2.0)
    for x in (X, np.abs(X), -np.abs(X), X):
        np.testing.assert_allclose(f(x).numpy(), np.exp(x[x > 0]) + 1)
        np.testing.assert_allclose(outer(x).numpy(), 2 * np.exp(x[x > 0]) + 2)


def test_derivatives_pass_through_what_values_decide():
    f = lambda a: tm.sum(tm.real(tm.linalg.eigvals(a)) ** 2)  # noqa: E731
    for order in ([REAL, TURNED, REAL], [TURNED, REAL]):
        g, gradient = tm.compile(f), tm.compile(tm.grad(f))
        for a in order:
            want = tm.grad(f)(a).numpy()
            np.testing.assert_allclose(tm.grad(g)(a).numpy(), want, atol=1e-12)
            np.testing.assert_allclose(gradient(a).numpy(), want, atol=1e-12)
            np.testing.assert_allclose(tm.jvp(g, (a,), (np.eye(2),))[1].numpy(), np.trace(want), atol=1e-12)


def test_no_other_op_has_a_type_that_values_decide():
    from tinygrad_math.compiler.retyped import VALUE_DEPENDENT_TYPE
    from tinygrad_math.compiler.trace import VALUE_DEPENDENT_SHAPE
    from tinygrad_math.core.op import registry

    rng, found = np.random.default_rng(0), set()
    for name, op in list(registry.items()):
        if op.kind == "elementwise" or isinstance(op.plain, np.ufunc) or getattr(op, "random", False):
            continue
        for shape in ((3, 3), (4,)):
            a = rng.normal(size=shape)
            tries = [a, np.zeros(shape), np.ones(shape), -np.abs(a), np.abs(a) + 0.1]
            if len(shape) == 2:
                tries += [np.diag([1.0, 2.0, 3.0]), -np.eye(3), np.triu(np.ones((3, 3))), a @ a.T]
            types_ = set()
            for x in tries:
                given = [x] * (op.arity or 1)
                try:
                    with np.errstate(all="ignore"):
                        y = (
                            op.plain(tuple(given), **op.defaults)
                            if op.arity is None
                            else op.plain(*given, **op.defaults)
                        )
                except Exception:
                    continue
                parts = y if isinstance(y, tuple) else (y,)
                types_.add(tuple((np.shape(p), np.asarray(p).dtype) for p in parts))
            if len(types_) > 1:
                found.add(name)
    counts = {"bincount", "weighted_bincount", "distinct"}  # whose shapes are looked at in the program
    assert found - counts <= VALUE_DEPENDENT_TYPE | VALUE_DEPENDENT_SHAPE


# -- as objects -----------------------------------------------------------------------------------------------
@tm.compile
def decorated(x):
    return tm.sin(x) * 1.5


def test_a_compiled_function_is_copied_and_pickled():
    net = tm.compile(tm.nn.Linear(3, 2, rng=0))
    twin = copy.deepcopy(net)
    with tm.no_grad():
        twin.f.weight *= 2.0
    assert not np.allclose(twin(X).detach().numpy(), net(X).detach().numpy())
    assert copy.deepcopy(tm.compile(tm.sin))(0.0).item() == 0.0
    assert pickle.loads(pickle.dumps(decorated)) is decorated
    again = pickle.loads(pickle.dumps(tm.compile(helper, static_argnums=0)))
    assert (again.f, again.static) == (helper, frozenset([0]))


# -- as source ------------------------------------------------------------------------------------------------
def test_a_gradient_that_is_a_constant_is_written_down():
    scope = {}
    exec(tm.to_source(lambda x: tm.sum(3.0 * x), X, order=1), scope)
    value, gradient = scope["f"](X)
    assert value == pytest.approx(3 * X.sum())
    np.testing.assert_array_equal(gradient, [3.0, 3.0, 3.0])
    gradient[0] = 7.0
    assert scope["f"](X)[1][0] == 3.0
    p = {"a": X, "b": X, "c": X}
    exec(tm.to_source(lambda p: tm.sum(p["a"]) + tm.sum(p["c"] ** 2), p, order=1), scope)
    _, a, b, c = scope["f"](X, X, X)
    np.testing.assert_array_equal([a, b], [np.ones(3), np.zeros(3)])
    np.testing.assert_allclose(c, 2 * X)


@pytest.mark.parametrize(
    "name", ['""" + str(6 * 7) + """', "'''\\", "line\nbreak", "\\", "\u202e", "coding: utf-16", '"']
)
def test_a_name_never_becomes_code(name):
    def f(x):
        return x * 2.0

    f.__name__ = name
    text = tm.to_source(f, X)
    scope = {}
    exec(compile(text.encode(), "<text>", "exec"), scope)
    assert "42" not in text
    (g,) = [v for k, v in scope.items() if callable(v) and k not in ("make", "multiply", "array", "empty")][-1:]
    np.testing.assert_array_equal(g(X)[0], 2 * X)


def test_source_closes_over_constants():
    t, k = tm.tensor([1.0, 2.0, 3.0]), 2.0
    scope = {}
    exec(tm.to_source(lambda x: x * t + k, X), scope)
    np.testing.assert_array_equal(scope["f"](X)[0], X * [1, 2, 3] + 2)
    w = tm.tensor(X, requires_grad=True)
    with pytest.raises(ArgumentError, match="closes over parameters"):
        tm.to_source(lambda x: x * w, X)


def test_written_code_is_compiled_at_the_first_call_whichever_thread_makes_it():
    for _ in range(20):
        f = later("f", "def f(x, y=1):\n    return k * x + y", {"k": 2})
        unwritten = f.__code__
        with ThreadPoolExecutor(4) as pool:
            assert [*pool.map(f, range(8))] == [1, 3, 5, 7, 9, 11, 13, 15]
        assert f(3, 0) == 6
        assert f.__code__ is not unwritten


def test_a_program_that_is_called_once_has_no_code_that_looks_arguments_up(monkeypatch):
    written = []
    monkeypatch.setattr(find, "later", lambda name, text, scope: lambda *given: written.append(name) or cache.MISS)
    f = tm.compile(lambda x: x * 2.0)
    assert f(tm.tensor([1.0])).tolist() == [2.0]
    assert written == []
    assert f(tm.tensor([3.0])).tolist() == [6.0]
    assert written == ["find", "find"]
