"""tm.checkpoint: the same derivatives from recomputed values, with less kept."""

import gc

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.errors import ChangedAfterUse
from tinygrad_math.core.tensor import Node
from tinygrad_math.testing import check_grads


def deep(x):
    for _ in range(50):
        x = tm.sin(x) * 1.1
    return x


def test_every_order_and_both_modes_agree_with_finite_differences():
    def f(x, p):
        return {"y": tm.sin(x) * p["a"], "s": tm.exp(x).sum() * p["b"][0]}

    args = (np.array([0.1, 0.5]), {"a": np.array([1.0, 2.0]), "b": [np.array(0.7)]})
    check_grads(tm.checkpoint(f), args, order=3)


def test_gradients_equal_those_without_it():
    x = np.linspace(0.1, 1.0, 5)
    plain, checked = (tm.grad(lambda v, f=f: f(v).sum())(x).numpy() for f in (deep, tm.checkpoint(deep)))
    np.testing.assert_array_equal(plain, checked)
    h = tm.hessian(lambda v: tm.checkpoint(deep)(v).sum())(x)
    np.testing.assert_allclose(h.numpy(), tm.hessian(lambda v: deep(v).sum())(x).numpy(), rtol=1e-14)


def test_the_inside_is_not_kept():
    def arrays_alive():
        gc.collect()
        return len(
            {id(o.data) for o in gc.get_objects() if issubclass(type(o), Node) and getattr(o.data, "size", 0) == 1234}
        )

    x = tm.tensor(np.ones(1234), requires_grad=True)
    before = arrays_alive()
    kept = deep(x)
    plain = arrays_alive() - before
    del kept
    checked = tm.checkpoint(deep)(x)
    lean = arrays_alive() - before
    assert checked.requires_grad
    assert plain == 100
    assert lean == 1


def test_closed_over_tensors_get_their_gradients_once():
    w = tm.tensor([1.0, 2.0], requires_grad=True)
    u = w * 3.0  # closed over as well, and made from w: what goes through it must not be counted twice
    f = tm.checkpoint(lambda x: (x * u * w * w).sum())
    x = tm.tensor([3.0, 4.0], requires_grad=True)
    f(x).backward(create_graph=True)
    np.testing.assert_array_equal(x.grad.data, [3.0, 24.0])
    np.testing.assert_array_equal(w.grad.data, [27.0, 144.0])  # d/dw 3 x w^3
    second = (w.grad * w.grad).sum()
    w.grad = None
    second.backward()
    np.testing.assert_allclose(w.grad.data, 2 * np.array([27.0, 144.0]) * [54.0, 144.0])  # 2 (9 x w^2) (18 x w)


def test_a_function_of_closures_only():
    w = tm.tensor([1.0, 2.0], requires_grad=True)
    y = tm.checkpoint(lambda: (w**3).sum())()
    y.backward()
    np.testing.assert_array_equal(w.grad.data, [3.0, 12.0])


def test_random_draws_inside_are_not_drawn_again():
    x = tm.tensor(np.ones(1000), requires_grad=True)
    y = tm.checkpoint(lambda v: v * tm.random.bernoulli(0.5, size=1000))(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, y.detach().numpy())


def test_the_function_is_called_once():
    calls = []

    def f(x):
        calls.append(1)
        return x * x

    assert tm.grad(tm.checkpoint(f))(3.0).item() == 6.0
    assert len(calls) == 1


def test_many_valued_ops_and_results_of_other_kinds():
    def f(a):
        q, r = tm.linalg.qr(a)
        return {"q": q, "r": r, "label": "text", "shape": a.shape[0]}

    a = np.array([[1.0, 2.0], [0.5, -1.0]])
    out = tm.checkpoint(f)(tm.tensor(a, requires_grad=True))
    assert out["label"] == "text"
    assert out["shape"] == 2
    check_grads(lambda a: tuple(tm.checkpoint(f)(a)[k] for k in "qr"), (a,), order=2)


def test_nested_checkpoints():
    inner = tm.checkpoint(lambda x: tm.sin(x) * x)
    outer = tm.checkpoint(lambda x: inner(inner(x)) + x)
    check_grads(outer, (np.array([0.3, 0.8]),), order=3)


def test_an_argument_that_comes_back_unchanged_keeps_its_identity():
    x = tm.tensor(2.0, requires_grad=True)
    y, z = tm.checkpoint(lambda v: (v, v * v))(x)
    (y + z).backward()
    assert x.grad.item() == 5.0


def test_nothing_is_recorded_without_need():
    y = tm.checkpoint(deep)(np.ones(2))
    assert not y.requires_grad
    x = tm.tensor(np.ones(2), requires_grad=True)
    with tm.no_grad():
        assert not tm.checkpoint(deep)(x).requires_grad


def test_backward_under_no_grad_still_recomputes():
    x = tm.tensor(0.5, requires_grad=True)
    y = tm.checkpoint(deep)(x)
    with tm.no_grad():
        y.backward()
    assert x.grad.item() == pytest.approx(tm.grad(deep)(0.5).item(), rel=1e-14)


def test_what_was_changed_before_the_recomputation_is_noticed():
    w = tm.tensor([1.0, 2.0], requires_grad=True)
    y = tm.checkpoint(lambda: (w * w).sum())()
    w.data[0] = 5.0
    with pytest.raises(ChangedAfterUse):
        y.backward()
    c = tm.tensor([1.0, 2.0], name="c")
    y = tm.checkpoint(lambda v: (v * c).sum())(w)
    c.data = np.array([5.0, 2.0])
    with pytest.raises(ChangedAfterUse, match="c"):
        y.backward()


def test_in_a_compiled_function_it_is_inlined():
    x = np.linspace(0.1, 1.0, 5)
    f = tm.compile(tm.grad(lambda v: tm.checkpoint(deep)(v).sum()))
    np.testing.assert_allclose(f(x).numpy(), tm.grad(lambda v: deep(v).sum())(x).numpy(), rtol=1e-13)
    assert "= checkpoint" not in f.source
