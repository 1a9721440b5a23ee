"""Computations that are edited: what is computed again, what follows, and what is refused."""

import sys

import numpy as np
import pytest

import tinygrad_math as tm

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(8, 3)), RNG.normal(size=(8, 2))
PARAMS = {"W1": RNG.normal(size=(3, 4)), "b": RNG.normal(size=4), "W2": RNG.normal(size=(4, 2))}


def leaky(z):
    return tm.where(z > 0, z, 0.1 * z)


def loss(p):
    h = leaky(X @ p["W1"] + p["b"])
    y = h @ p["W2"]
    err = y - T
    return (err**2).mean()


def params():
    return {k: tm.tensor(v) for k, v in PARAMS.items()}


def test_the_value_and_the_gradient_are_those_of_the_function():
    g = tm.record(loss, params())
    value, grad = tm.value_and_grad(loss)(params())
    assert g.value.item() == value.item()
    for name in PARAMS:
        np.testing.assert_allclose(g.grad()[name].numpy(), grad[name].numpy())
        np.testing.assert_allclose(g.grad(name).numpy(), grad[name].numpy())


@pytest.mark.parametrize("name, steps", [("W1", 9), ("b", 8), ("W2", 4)])
def test_setting_an_argument_is_running_the_function_there(name, steps):
    """Only what depends on it is computed again; the mask of `where` is among that."""
    g = tm.record(loss, params())
    change = g.set(name, lambda w: -3 * w)
    there = params() | {name: tm.tensor(-3 * PARAMS[name])}
    value, grad = tm.value_and_grad(loss)(there)
    assert change.recomputed == steps
    assert change.steps == 9
    np.testing.assert_allclose(g.value.item(), value.item())
    for k in PARAMS:
        np.testing.assert_allclose(g.grad()[k].numpy(), grad[k].numpy())
    np.testing.assert_allclose(change.value, (loss(params()).item(), value.item()))


def test_setting_a_value_on_the_way_cuts_what_it_was_made_of():
    g = tm.record(loss, params())
    change = g.set("h", 0.0)
    assert change.recomputed == 4
    np.testing.assert_allclose(g.value.item(), (T**2).mean())
    assert not g.grad()["W1"].numpy().any()
    assert not g.grad()["W2"].numpy().any()
    np.testing.assert_allclose(g.grad("h").numpy(), -2 / 16 * T @ PARAMS["W2"].T)
    (h,) = (v for v in change.values if v.title == "h")
    assert h.after.shape == (8, 4)
    assert not h.after.any()


def test_edits_add_up_and_are_taken_back():
    g = tm.record(loss, params())
    before, gradient = g.value.item(), g.grad()["b"].numpy()
    g.set("b", 1.0)
    g.set("W2", 0.5)
    g.set("b", 2.0)
    there = params() | {"b": tm.tensor(np.full(4, 2.0)), "W2": tm.tensor(np.full((4, 2), 0.5))}
    np.testing.assert_allclose(g.value.item(), loss(there).item())
    g.set("h", 0.0)
    assert g.set("b", 5.0).value[0] == g.value.item()  # h does not hang on it any more
    assert g.reset().recomputed == 0
    assert g.value.item() == before
    np.testing.assert_array_equal(g.grad()["b"].numpy(), gradient)


def test_nodes_are_given_by_name_by_id_and_by_tensor():
    p = params()
    g = tm.record(loss, p)
    lines = tm.graph(g.value, grads=False).text().splitlines()
    ids = {line.split()[0]: line for line in lines if "_" not in line.split()[0]}
    for key, line in ids.items():
        assert f"\n  {key} " in g.text(), line
    (named_y,) = (key for key, line in ids.items() if "'y'" in line)
    same = [tm.record(loss, p).set(node, 0.0).value for node in ("y", named_y)]
    assert same[0] == same[1]
    assert g.set(p["W2"], 0.0).value[1] == same[0][1]
    assert g.set(g.value, 7.0).value[1] == 7.0


def test_the_users_own_values_stay_as_they_are():
    p = params()
    g = tm.record(loss, p)
    g.set("W1", 0.0)
    for k, v in PARAMS.items():
        np.testing.assert_array_equal(p[k].numpy(), v)
        assert p[k].name is None
        assert not p[k].requires_grad


def test_a_module_is_recorded_by_its_parameters_names():
    net = tm.nn.Sequential(tm.nn.Linear(3, 4, rng=0), tm.nn.BatchNorm1d(4), tm.nn.Tanh(), tm.nn.Linear(4, 2, rng=1))
    kept = net[1].running_mean.numpy().copy()
    g = tm.record(lambda net: ((net(X) - T) ** 2).mean(), net)
    weight = net[3].weight.detach().numpy().copy()
    change = g.set("3.weight", 0.0)
    np.testing.assert_array_equal(net[3].weight.detach().numpy(), weight)
    np.testing.assert_array_equal(net[1].running_mean.numpy(), kept)
    np.testing.assert_allclose(change.value[1], ((net[3].bias.detach().numpy() - T) ** 2).mean())
    assert isinstance(g.grad(), tm.nn.Sequential)
    assert not g.grad()[0].weight.numpy().any()
    assert g.set(net[0].weight, 1.0).recomputed


def test_several_arguments_are_named_by_the_function():
    def f(a, b):
        s = a * b
        return s + a

    g = tm.record(f, tm.tensor(2.0), 3.0)
    assert g.set("b", 10.0).value == (8.0, 22.0)
    assert [x.item() for x in g.grad()] == [11.0, 2.0]
    assert g.set("s", 1.0).value == (22.0, 3.0)


def test_many_valued_results_and_trees_are_edited_too():
    def f(A):
        w, U = tm.linalg.eigh(A)
        top = w[-1]
        return {"top": top, "frame": (U * w) @ U.T}

    A = np.array([[2.0, 1.0], [1.0, 3.0]])
    g = tm.record(f, A)
    np.testing.assert_allclose(g.value["frame"].detach().numpy(), A)
    g.set("w", [1.0, 1.0])
    np.testing.assert_allclose(g.value["frame"].detach().numpy(), np.eye(2), atol=1e-15)
    assert g.value["top"].item() == 1.0
    g.reset()
    g.set("A", np.eye(2) * 4)
    assert g.value["top"].item() == 4.0
    with pytest.raises(tm.NonScalarError, match="one real number"):
        g.grad()
    with pytest.raises(tm.NonScalarError, match="explained"):
        g.explain()


def test_what_was_stopped_stays_stopped():
    def f(x):
        with tm.no_grad():
            scale = x * 2
        return (scale * x).sum() + tm.stop_gradient(x).sum()

    g = tm.record(f, tm.tensor([1.0, 2.0]))
    assert g.grad().numpy().tolist() == [2.0, 4.0]
    g.set("x", [3.0, 4.0])
    assert g.value.item() == 57.0
    assert g.grad().numpy().tolist() == [6.0, 8.0]


def test_what_was_drawn_stays_drawn_unless_it_depends_on_the_edit():
    def f(x):
        noise = tm.random.default_rng(3).normal(size=3)
        return (x * noise).sum()

    g = tm.record(f, tm.tensor([1.0, 1.0, 1.0]))
    noise = np.asarray(g.grad())
    g.set("x", [1.0, 0.0, 0.0])
    np.testing.assert_allclose(g.value.item(), noise[0])


def test_decisions_of_python_stay_as_they_were():
    g = tm.record(lambda x: x * 2 if x > 0 else x * 3, tm.tensor(1.0))
    assert g.set("x", -1.0).value == (2.0, -2.0)


def test_derivatives_within_the_function_are_recorded_too():
    f = lambda x: (tm.grad(lambda y: (y**3).sum())(x) * x).sum()  # noqa: E731
    g = tm.record(f, tm.tensor([1.0, 2.0]))
    assert g.value.item() == 27.0
    g.set("x", [2.0, 0.0])
    assert g.value.item() == 24.0
    assert g.grad().numpy().tolist() == [36.0, 0.0]


def test_what_does_not_fit_is_refused_and_everything_stays_as_it_was():
    def f(A):
        inverse = tm.linalg.inv(A)
        return inverse.sum()

    g = tm.record(f, np.eye(2) * 2)
    with pytest.raises(tm.errors.SingularMatrix):
        g.set("A", 0.0)
    assert g.value.item() == 1.0
    with pytest.raises(tm.ShapeError, match=r"A is float64\(2, 2\)"):
        g.set("A", np.ones(3))
    with pytest.raises(tm.DTypeError, match="real"):
        g.set("A", 1j)
    with pytest.raises(tm.DTypeError):
        g.set("A", "text")
    with pytest.raises(tm.ArgumentError, match="'A', 'inverse'"):
        g.set("B", 0.0)
    with pytest.raises(tm.ArgumentError, match="no part"):
        g.set(tm.tensor(1.0), 0.0)
    with pytest.raises(tm.ArgumentError, match="function"):
        tm.record(3.0, np.eye(2))
    with pytest.raises(tm.ArgumentError, match="its arguments"):
        tm.record(f)
    with pytest.raises(ZeroDivisionError):
        tm.record(lambda x: 1 / 0, 1.0)
    assert sys.getprofile() is None
    assert g.value.item() == 1.0


def test_the_dtype_stays():
    g = tm.record(lambda x: (x * x).sum(), tm.tensor(np.float32([1, 2])))
    g.set("x", [3, 4])
    assert g.value.dtype == np.float32
    assert g.value.item() == 25.0


def test_it_tells_where_each_value_comes_from_and_what_changed():
    g = tm.record(loss, params())
    text = g.text()
    assert 'h = leaky(X @ p["W1"] + p["b"])  (test_record.py:' in text
    assert "z > 0" in text
    assert "= mean n10 = " in text
    change = g.set("h", 0.0)
    told = change.text()
    assert told.startswith("h was set\n")
    assert "4 of 9 steps were computed again." in told
    assert " → " in told
    assert "The gradient, before and after" in told
    assert repr(change).startswith("Change: h was set; 4 of 9")
    for shown in (g, change):
        assert shown._repr_mimebundle_().keys() == {"text/plain", "text/markdown", "text/html"}
        assert "<script" not in shown.html()
        assert shown.latex().rstrip().endswith(r"\end{document}")
        assert shown.markdown().startswith("# ")


def test_it_is_drawn_and_explained():
    g = tm.record(loss, params())
    assert "matmul" in g.graph().text()
    e = g.explain("b")
    np.testing.assert_allclose(e.gradient.numpy(), g.grad("b").numpy())
    assert "∂loss/∂b by the chain rule" in e.text()
    assert len(g.explain()) == 3


def test_hostile_names_are_text():
    name = "</script><script>alert(1)</script>\u202e"
    g = tm.record(lambda x: (x * x).sum(), tm.tensor([1.0, 2.0], name=name))
    change = g.set(name, 3.0)
    for shown in (g, change):
        assert "<script" not in shown.html()
        assert "\u202e" not in shown.text()


def test_a_missing_argument_is_no_matter_of_dtypes():
    with pytest.raises(tm.ArgumentError, match="missing 1 required positional argument: 'b'"):
        tm.record(lambda w, b: w * b, 1.0)


def test_one_step_is_told_of_in_the_singular():
    g = tm.record(lambda w: w * 2, 1.0)
    assert repr(g).startswith("Record of 1 step;")
    assert "1 of 1 step computed again" in repr(g.set("w", 2.0))


def test_the_steps_say_how_each_value_was_made():
    g = tm.record(lambda p: tm.tanh(X @ p["W1"] + p["b"]).sum(axis=0).max(), {k: PARAMS[k] for k in ("W1", "b")})
    values = {}
    for s in g.steps:
        args = [values.get(a, a) if isinstance(a, str) else a for a in s.args]
        values[s.id] = s.value if s.op is None else getattr(tm, s.op)(*args, **s.params)
        np.testing.assert_array_equal(values[s.id].numpy(), s.value.numpy())
        assert not s.value.requires_grad
    assert [s.name for s in g.steps[:2]] == ["W1", "b"]
    assert values[g.steps[-1].id].item() == g.value.item()
    g.set("b", 0.0)
    cut = next(s for s in g.steps if s.name == "b")
    assert (cut.op, cut.args, cut.value.numpy().tolist()) == (None, (), [0.0] * 4)
    parts = tm.record(lambda a: tm.linalg.svd(a).S[0], np.eye(2)).steps
    assert [s.op for s in parts] == [None, "svd", "select", "getitem"]
    assert isinstance(parts[1].value, tuple)
    assert parts[2].args == (parts[1].id,)
