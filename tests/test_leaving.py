"""What is being differentiated does not become a plain number, array, pickle or copy without a word."""

import copy
import decimal
import json
import math
import operator
import pickle

import numpy as np
import pytest
from scipy import integrate, ndimage, optimize

import tinygrad_math as tm
from tinygrad_math.core import leaving

X = np.array([0.5, 2.0])


def _into(write):
    def f(x):
        array = np.zeros(2)
        write(array, x)
        return x.sum() + array.sum()

    return f


def _set(array, x):
    array[1] = x[0] * 2.0


def _set_slice(array, x):
    array[:] = x


FORGETFUL = {
    "float": lambda x: float(x[0]) * x[1],
    "int": lambda x: int(x[1]) * x[0],
    "complex": lambda x: complex(x[0]).real * x[1],
    "math": lambda x: math.exp(x[0]),
    "math of a result": lambda x: math.hypot(*(x * 2.0)),
    "fsum": math.fsum,
    "floor": lambda x: math.floor(x[1]) * x[0],
    "NumPy's scalar": lambda x: np.float32(x[0]) * x[1],
    "tolist": lambda x: sum(x.tolist()),
    "fromiter": lambda x: np.fromiter(iter(x), float).sum(),
    "array of numbers": lambda x: np.array([x[0], x[1]]).sum(),
    "array": lambda x: np.asarray(x).sum(),
    "data": lambda x: (x.data**2).sum(),
    "an element": _into(_set),
    "a slice": _into(_set_slice),
    "fill": _into(lambda array, x: array.fill(x[0])),
    "percent format": lambda x: x.sum() * float("%.3f".__mod__(x[0])),
    "a rounded text": lambda x: x.sum() * float(f"{x[0]:.3f}"),
    "a text of no digits behind the point": lambda x: x.sum() * int(format(x[1], ".0f")),
    "a text that is stripped": lambda x: x.sum() * float(f"{x[0]:9.3f}".strip().rjust(9, "0")),
    "a text that is cut": lambda x: x.sum() * float(f"{x[0]:.3f}"[:3]),
    "a text that is added to": lambda x: x.sum() * float("1" + f"{x[0]:.3f}" + "5"),
    "a text of str.format": lambda x: x.sum() * float("{:.3f}".format(x[0])),  # noqa: UP032
    "a complex number of a text": lambda x: x.sum() * complex(f"{x[0]:.3f}").real,
    "a complex number of a text of str.format": lambda x: x.sum() * complex("{:.3f}".format(x[0])).real,  # noqa: UP032
    "a decimal of a text": lambda x: x.sum() * float(decimal.Decimal(f"{x[0]:.3f}")),
    "a text that is evaluated": lambda x: x.sum() * eval(f"{x[0]:.3f}"),
    "quad": lambda x: integrate.quad(lambda s: x[0] * s, 0, 1)[0],
    "bound of quad": lambda x: integrate.quad(lambda s: s, 0, x[1])[0],
    "a sum of squares": lambda x: optimize.nnls(np.eye(2), x)[1] + x.sum(),
    "pickle": lambda x: pickle.loads(pickle.dumps(x)).sum(),
    "a new leaf": lambda x: tm.tensor(x, requires_grad=True).sum(),
    "a new parameter": lambda x: tm.nn.Parameter(x * 2.0).sum(),
}


@pytest.mark.parametrize("what", FORGETFUL)
def test_a_value_that_is_being_differentiated_does_not_leave_unsaid(what):
    f = FORGETFUL[what]
    runs = [
        lambda: tm.grad(f)(X),
        lambda: tm.jvp(f, (X,), (X,)),
        lambda: tm.hvp(f, X, X),
        lambda: tm.jacobian(f)(tm.tensor(X, requires_grad=True)),
        lambda: tm.grad(lambda y: tm.grad(lambda x: (x * y).sum())(X).sum() + f(y))(X),
    ]
    for run in runs:
        with pytest.raises(tm.NeedsDetach, match=r"detach\(\)"):
            run()


def test_the_refusal_names_the_line_and_what_was_asked():
    def loss(x):
        rows = np.zeros(2)
        rows[0] = x[1]  # here
        return rows.sum()

    with pytest.raises(
        tm.NeedsDetach, match=r"(?s)float\(\).*float64\(\).*stack.*test_leaving\.py.*rows\[0\] = x\[1\]  # here"
    ):
        tm.grad(loss)(X)


def test_a_finished_loss_is_free_to_become_a_number():
    w = tm.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w).sum()
    loss.backward()
    assert (float(loss), int(loss), loss.item(), f"{loss:.1f}", math.sqrt(loss * 5)) == (5.0, 5, 5.0, "5.0", 5.0)
    curve = np.zeros(2)
    curve[0] = loss
    assert curve[0] == 5.0
    assert loss < 6
    value, gradient = tm.value_and_grad(lambda w: (w * w).sum())(w)  # a leaf: both keep a history, and are finished
    assert float(value) == 5.0
    assert [float(g) for g in gradient] == [2.0, 4.0]
    assert gradient.tolist() == [2.0, 4.0]
    y, pull = tm.vjp(lambda w: w * w, w)
    assert [math.sqrt(v) for v in y] == [1.0, 2.0]
    assert pickle.loads(pickle.dumps(y)).tolist() == [1.0, 4.0]
    assert float(pull(X)[0][0]) == 1.0


def test_inside_a_transform_what_it_does_not_differentiate_is_free():
    w = tm.tensor([1.0, 2.0], requires_grad=True)
    seen = []

    def loss(x):
        seen.append(float((w * w).sum()))
        seen.append(float(tm.value_and_grad(lambda y: (y * w).sum())(X)[0]))
        return (x * seen[0]).sum()

    assert tm.grad(loss)(X).tolist() == [5.0, 5.0]
    assert seen == [5.0, 4.5]


def test_what_an_inner_transform_made_of_an_outer_value_is_not_free():
    inner = [
        lambda y: tm.grad(lambda x: (x * x * y).sum())(y)[0],
        lambda y: tm.value_and_grad(lambda x: (x * y).sum())(X)[0],
        lambda y: tm.grad(lambda x: (x.sum(), (y * y).sum()), has_aux=True)(X)[1],
        lambda y: tm.vjp(lambda x: x * y, X)[1](X)[0][1],
        lambda y: tm.jvp(lambda x: x * y, (X,), (X,))[1][0],
        lambda y: tm.hvp(lambda x: (x**2 * y).sum(), X, X)[0],
        lambda y: tm.compile(tm.grad(lambda x: (x * x).sum()))(y)[0],
        lambda y: tm.checkpoint(lambda x: (x * y).sum())(X),
    ]
    for f in inner:
        with pytest.raises(tm.NeedsDetach, match="float"):
            tm.grad(lambda y, f=f: float(f(y)) * y.sum())(X)
        assert np.all(np.isfinite(tm.grad(lambda y, f=f: f(y).item() * y.sum())(X).numpy()))


def test_text_of_what_is_differentiated_is_text_and_a_number_again_when_the_transform_is_over():
    log = []

    def loss(x):
        log.append(f"{x[1]:.2f}")
        assert (log[-1], float(f"{x[1].item():.2f}")) == ("2.00", 2.0)
        return (x * x).sum()

    tm.grad(loss)(X)
    assert f"loss {log[0]}, {log[0]:>6}" == "loss 2.00,   2.00"
    assert json.dumps(log) == '["2.00"]'
    for copied in (log[0], copy.copy(log[0]), pickle.loads(pickle.dumps(log[0]))):
        assert (float(copied), copied) == (2.0, "2.00")


def test_text_that_nobody_reads_stays_text_beside_code_that_reads_others():
    def loss(x):
        parts = f"{x[1]:.2f}".split("."), "{:>8.2f}".format(x[1]).strip(), complex("1"), eval("2")  # noqa: UP032
        assert parts == (["2", "00"], "2.00", 1.0, 2)
        assert [type(p) is str for p in (f"x = {x[1]:.2f}", "".join([f"{x[1]:.2f}"]))] == [True, True]
        return (x * x).sum()

    tm.grad(loss)(X)


def test_a_refused_text_is_told_though_somebody_catches_it():
    def careless(x):
        try:
            return x[0] * float(f"{x[1]:.3f}")
        except Exception:
            return x[0] * 0.0

    with pytest.raises(tm.NeedsDetach, match=r"(?s)'2\.000'.*test_leaving\.py"):
        tm.grad(careless)(X)


def test_what_says_so_leaves_and_text_and_truth_stay_possible():
    def f(x):
        text = f"{x[0]:.2f} {x} {x!r} {x.sum()}"
        c = x[0].item() * x.detach()[1] * tm.stop_gradient(x)[1].tolist()
        with tm.no_grad():
            c = c * float(x[0] * 2)
        if x[0] > 0 and bool(x[1]) and text:
            return c * max(x)
        return x.sum()

    assert tm.grad(f)(X).tolist() == [0.0, 2.0]  # c = 0.5 * 2 * 2 * 1


def test_an_exception_inside_leaves_values_as_unfree_as_before_and_not_longer():
    kept = []

    def f(x):
        kept.append(x * 2.0)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        tm.grad(f)(X)
    assert float(kept[0][0]) == 1.0


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda x: copy.deepcopy({"w": [x]})["w"][0], lambda x: copy.copy(x * 1.0), tm.tensor],
)
def test_a_copy_of_what_is_being_differentiated_keeps_its_history(copied):
    assert tm.grad(lambda x: (copied(x) ** 2).sum())(X).tolist() == [1.0, 4.0]
    assert tm.jvp(lambda x: (copied(x) ** 2).sum(), (X,), (np.ones(2),))[1].item() == 5.0
    assert np.diag(tm.hessian(lambda x: (copied(x) ** 3).sum())(X).numpy()).tolist() == [3.0, 12.0]


def test_a_module_copied_inside_a_transform_keeps_its_history():
    net = tm.nn.Linear(2, 1, rng=0)
    gradient = tm.grad(lambda n: copy.deepcopy(n)(X).sum())(net)
    assert gradient.weight.tolist() == [X.tolist()]


def test_what_a_transform_differentiates_cannot_be_declared_a_constant_in_passing():
    def freeze(x):
        x.requires_grad = False
        return (x * x).sum()

    def replace(x):
        x.data = np.zeros(2)
        return (x * x).sum()

    with pytest.raises(tm.NotALeaf, match="detach"):
        tm.grad(freeze)(X)
    with pytest.raises(tm.NeedsDetach, match="assigning data"):
        tm.grad(replace)(X)


def _clip(w):
    w[...] = tm.clip(w, -1, 1)


def _scale(w):
    w *= 0.5


def _ufunc(w):
    np.multiply(w, 2.0, out=w)


def _at(w):
    np.add.at(w, [0], 1.0)


@pytest.mark.parametrize("assign", [_clip, _scale, _ufunc, _at])
def test_a_leaf_is_assigned_to_under_no_grad_only(assign):
    w = tm.tensor([3.0, 0.5], requires_grad=True, name="w")
    with pytest.raises(tm.NotALeaf, match=r"w float64\(2,\).*no_grad"):
        assign(w)
    assert w.tolist() == [3.0, 0.5]
    assert w.is_leaf
    want = np.array([3.0, 0.5])
    assign(want) if assign is not _clip else want.clip(-1, 1, out=want)
    with tm.no_grad():
        assign(w)
    (w * w).sum().backward()
    np.testing.assert_array_equal(w.grad.numpy(), 2 * want)
    assign(y := w * 1.0)  # a result, and what is being differentiated, take new values on
    assert not y.is_leaf
    tm.testing.check_grads(lambda x: (assign(x), (x * x).sum())[1], (np.array([0.3, 0.5]),), order=1)


def test_an_assignment_inside_a_traced_function_is_part_of_it_or_refused():
    def arguments(x):
        with tm.no_grad():
            x[0] = x[1] * 2.0
            local = tm.zeros(2)
            local[...] = x + 1.0
        return x * local

    with pytest.raises(tm.TraceError, match="writes to its argument x"):
        tm.compile(arguments)(np.array([1.0, 2.0]))
    f = tm.compile(lambda x: arguments(x + 0.0))
    for x in (np.array([1.0, 2.0]), np.array([5.0, 3.0])):
        y = np.array([2 * x[1], x[1]])
        np.testing.assert_array_equal(f(x.copy()).numpy(), y * (y + 1))

    w = tm.tensor([1.0, 2.0], requires_grad=True, name="w")

    def outside(x):
        with tm.no_grad():
            w[...] = x
        return (w * x).sum()

    assert outside(np.array([3.0, 4.0])).item() == 25.0
    with pytest.raises(tm.TraceError, match=r"w float64\(2,\) lives outside"):
        tm.compile(outside)(np.array([5.0, 6.0]))
    assert w.tolist() == [3.0, 4.0]


def test_a_weight_is_not_scaled_in_passing():
    net = tm.nn.Linear(2, 1, rng=0)
    before = net.weight.tolist()
    with pytest.raises(tm.NotALeaf, match="weight"):
        net.weight *= 0.5
    assert net.weight.tolist() == before
    with tm.no_grad():
        net.weight *= 0.5
    net(np.ones((1, 2))).sum().backward()
    assert net.weight.grad.tolist() == [[1.0, 1.0]]
    assert isinstance(net.weight, tm.nn.Parameter)


def test_the_equation_of_a_root_is_being_differentiated_too():
    def cube_root(f):
        return tm.implicit.root(f, lambda a: a.item() ** (1 / 3))

    with pytest.raises(tm.NeedsDetach, match="float"):
        tm.grad(cube_root(lambda x, a: float(x) ** 3 - a))(8.0)
    assert float(cube_root(lambda x, a: x**3 - a)(tm.tensor(8.0, requires_grad=True))) == 2.0


@pytest.mark.parametrize(
    "f",
    [
        lambda c: tm.std(np.arange(4.0), correction=c),
        lambda c: tm.nan_to_num(np.array([np.nan, 1.0]), nan=c).sum(),
        lambda c: tm.max(np.arange(2.0), initial=c),
        lambda c: tm.linalg.pinv(np.eye(2), rcond=c).sum(),
    ],
)
def test_a_parameter_of_an_op_that_has_no_derivative_refuses_what_needs_one(f):
    assert np.isfinite(f(0.5).item())
    assert np.isfinite(f(tm.tensor(0.5)).item())
    leaf = tm.tensor(0.5, requires_grad=True)
    for run in (lambda: tm.grad(f)(0.5), lambda: tm.jvp(f, (0.5,), (1.0,)), lambda: f(leaf)):
        with pytest.raises(tm.NoDerivative, match="item"):
            run()
    with pytest.raises(tm.TraceError, match="make the argument that decides static"):
        tm.compile(f)(0.5)


# -- compiled code ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("make", [np.empty_like, np.zeros_like, np.ones_like, lambda x: np.full_like(x, 2.0)])
def test_an_array_that_numpy_made_to_be_filled_is_filled_by_compiled_code(make):
    x = tm.tensor(np.arange(12.0).reshape(3, 4))
    want = ndimage.gaussian_filter(x.numpy(), 1.0)
    out = make(x)
    ndimage.gaussian_filter(x, 1.0, output=out)
    np.testing.assert_array_equal(out.numpy(), want)
    out[0] = 5.0  # from here on it holds values, which an array copies
    np.asarray(out)[...] = 7.0
    np.array(out)[...] = 7.0
    np.testing.assert_array_equal(out[1:].numpy(), want[1:])
    np.testing.assert_array_equal(tm.grad(lambda x: (make(x) * 0.0 + x * x).sum())(x).numpy(), 2 * x.numpy())


def test_filling_it_later_is_noticed_by_a_derivative():
    w, out = tm.tensor([1.0, 2.0], requires_grad=True), np.zeros_like(tm.tensor([0.0, 0.0]))
    before = (w * out).sum()
    np.asarray(out)[:] = 3.0
    with pytest.raises(tm.ChangedAfterUse):
        before.backward()
    (w * out).sum().backward()
    assert w.grad.tolist() == [3.0, 3.0]


compiled_item = operator.methodcaller("item")


def test_compiled_code_that_asks_for_item_does_not_say_that_a_constant_is_meant():
    with pytest.raises(tm.NeedsDetach, match="compiled code"):
        tm.grad(lambda x: compiled_item(x) * x)(3.0)
    assert tm.grad(lambda x: x.item() * x)(3.0).item() == 3.0
    assert tm.grad(lambda x: sum(map(tm.Tensor.item, [x])) * x)(3.0).item() == 3.0
    assert compiled_item(tm.tensor(3.0)) == 3.0
    assert tm.grad(lambda x: compiled_item(x.detach()) * x)(3.0).item() == 3.0


def test_a_tensor_of_one_element_is_an_index_where_an_array_of_numpys_is():
    a = np.arange(6.0).reshape(2, 3)
    for index in ([1], [[1]], 1, True, [True, False], [0, 1], np.uint8(1)):
        want = a[np.asarray(index)]
        for array in (a, tm.tensor(a)):
            got = np.asarray(array[tm.tensor(index)])
            assert got.shape == want.shape
            np.testing.assert_array_equal(got, want)
    for value in ([1], True, 1.0):
        with pytest.raises(TypeError, match=r"int\(\)"):
            operator.index(tm.tensor(value))
    assert "abc"[tm.tensor(1)] == "b"


def test_what_numpy_2_0_does_not_know_of_dlpack_is_not_asked_of_it(monkeypatch):
    class Old:
        def __init__(self, array):
            self.array = array

        def __dlpack__(self, *, stream=None):
            return self.array.__dlpack__(stream=stream)

    x = tm.tensor(X)
    monkeypatch.setattr(leaving.np, "asarray", Old)
    assert x.__dlpack__() is not None
    with pytest.raises(TypeError, match="max_version"):  # who asks for more is told by NumPy
        x.__dlpack__(max_version=(1, 0))
