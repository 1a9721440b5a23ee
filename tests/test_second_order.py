"""LBFGS, Newton's method with conjugate gradients, Levenberg-Marquardt, and SciPy's minimisers over trees."""

import itertools

import numpy as np
import pytest
import reference_steps as steps
import scipy.optimize
from agreement import STORED

import tinygrad_math as tm
from tinygrad_math.nn import functional as F


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def valley(dtype=np.float64):
    return tm.tensor([-1.2, 1.0], requires_grad=True, dtype=dtype)


def with_backward(optimiser, loss):
    def closure():
        optimiser.zero_grad()
        y = loss()
        y.backward()
        return y

    return closure


# -- LBFGS ------------------------------------------------------------------------------------------
def small_network():
    rng = np.random.default_rng(5)
    net = tm.nn.Sequential(tm.nn.Linear(2, 4), tm.nn.Tanh(), tm.nn.Linear(4, 1))
    net.load_state_dict({k: rng.normal(size=v.shape) for k, v in net.state_dict().items()})
    return net


@pytest.mark.parametrize("name", steps.LBFGS)
def test_lbfgs_goes_the_way_of_pytorch(name):
    (x, y), net, want = steps.network_data(), small_network(), STORED.parts(name)
    optimiser = tm.optim.LBFGS(net, max_iter=8, **steps.LBFGS[name])
    closure = with_backward(optimiser, lambda: F.binary_cross_entropy_with_logits(net(x), y))
    losses = [optimiser.step(closure).item() for _ in range(steps.CALLS)]
    if steps.LBFGS[name]["line_search_fn"] is not None:  # its trial points are our own: it gets there no later
        np.testing.assert_allclose(losses[:2], want["losses"][:2], rtol=1e-9)
        assert losses[-1] <= want["losses"][-1]
        return
    np.testing.assert_allclose(losses, want["losses"], rtol=1e-9)
    for key, value in net.state_dict().items():
        np.testing.assert_allclose(value, want[key], rtol=1e-9, atol=1e-9)


def test_lbfgs_reaches_the_end_of_the_valley():
    x = valley()
    optimiser = tm.optim.LBFGS([x], max_iter=100, tolerance_change=1e-14, line_search_fn="strong_wolfe")
    for _ in range(2):
        optimiser.step(with_backward(optimiser, lambda: rosenbrock(x)))
    np.testing.assert_allclose(x.detach().numpy(), [1, 1], atol=1e-6)


def test_lbfgs_goes_on_from_a_saved_state_bit_for_bit():
    (x, y), nets = steps.network_data(), [small_network(), small_network()]
    optimisers = [tm.optim.LBFGS(net, max_iter=3, line_search_fn="strong_wolfe") for net in nets]

    def closure(k):
        return with_backward(optimisers[k], lambda: F.binary_cross_entropy_with_logits(nets[k](x), y))

    for _ in range(2):
        optimisers[0].step(closure(0))
    nets[1].load_state_dict(nets[0].state_dict())
    optimisers[1].load_state_dict(optimisers[0].state_dict())
    for k in (0, 1):
        optimisers[k].step(closure(k))
    for a, b in zip(*(net.state_dict().values() for net in nets), strict=True):
        np.testing.assert_array_equal(a, b)


# -- Newton's method --------------------------------------------------------------------------------
def test_newton_leaves_a_saddle_point_downhill_and_never_rises():
    """x^2 - y^2 + y^4 / 4 from beside its saddle point at 0; the valleys are at y = +-sqrt(2)."""
    p = tm.tensor([1.0, 1e-3], requires_grad=True)
    optimiser = tm.optim.NewtonCG([p])
    losses = [optimiser.step(lambda: p[0] ** 2 - p[1] ** 2 + p[1] ** 4 / 4).item() for _ in range(30)]
    assert all(b <= a for a, b in itertools.pairwise(losses))
    np.testing.assert_allclose(np.abs(p.detach().numpy()), [0, np.sqrt(2)], atol=1e-6)


def test_newton_solves_an_ill_conditioned_quadratic():
    rng = np.random.default_rng(0)
    q, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    a, b = q @ np.diag(np.logspace(-3, 3, 8)) @ q.T, rng.normal(size=8)
    p = tm.tensor(np.zeros(8), requires_grad=True)
    optimiser, losses = tm.optim.NewtonCG([p], max_cg=40), []
    for _ in range(20):
        losses.append(optimiser.step(lambda: 0.5 * (p @ (a @ p)) - b @ p).item())
    assert all(later <= earlier for earlier, later in itertools.pairwise(losses))
    np.testing.assert_allclose(p.detach().numpy(), np.linalg.solve(a, b), rtol=1e-4, atol=1e-4)


def test_newton_solves_a_quadratic_in_one_step():
    p, c = tm.tensor([3.0, -1.0, 2.0], requires_grad=True), np.array([1.0, 2.0, 3.0])
    tm.optim.NewtonCG([p], forcing=1e-10).step(lambda: ((p - c) ** 2 * c).sum())
    np.testing.assert_allclose(p.detach().numpy(), c, rtol=1e-8)


# -- Levenberg-Marquardt ----------------------------------------------------------------------------
T = np.linspace(0, 2, 25)


def decay(p, xp):
    return p[0] * xp.exp(-p[1] * T) + p[2] * xp.sin(p[3] * T)


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_levenberg_marquardt_finds_what_scipy_finds(noise):
    y = decay(np.array([2.0, 1.5, 0.7, 3.0]), np) + noise * np.random.default_rng(1).normal(size=T.size)
    start = np.array([1.0, 1.0, 1.0, 2.5])
    want = scipy.optimize.least_squares(lambda p: decay(p, np) - y, start, method="lm", xtol=1e-12, ftol=1e-14)
    p = tm.tensor(start, requires_grad=True)
    optimiser, losses = tm.optim.LevenbergMarquardt([p]), []
    for _ in range(30):
        losses.append(float(optimiser.step(lambda: decay(p, tm) - y)))
    assert all(b <= a for a, b in itertools.pairwise(losses))
    np.testing.assert_allclose(p.detach().numpy(), want.x, rtol=1e-6)
    np.testing.assert_allclose(losses[-1], want.cost, rtol=1e-8, atol=1e-15)


@pytest.mark.parametrize("kind", [tm.optim.NewtonCG, tm.optim.LevenbergMarquardt, tm.optim.LBFGS])
def test_second_order_steps_keep_float32_and_ask_for_a_closure(kind):
    x = valley(np.float32)
    optimiser = kind([x])
    with pytest.raises(tm.ArgumentError, match="closure"):
        optimiser.step()
    if kind is tm.optim.LBFGS:
        optimiser.step(with_backward(optimiser, lambda: rosenbrock(x)))
    elif kind is tm.optim.NewtonCG:
        optimiser.step(lambda: rosenbrock(x))
    else:
        optimiser.step(lambda: tm.stack([1 - x[0], 10 * (x[1] - x[0] ** 2)]))
    assert x.dtype == np.float32
    assert rosenbrock(x).item() < 24.2


# -- SciPy's minimisers -----------------------------------------------------------------------------
GRADIENT = ["trust-ncg", "Newton-CG", "trust-krylov", "trust-exact", "dogleg", "BFGS", "L-BFGS-B", "CG", "TNC", "SLSQP"]
BLIND = ["Nelder-Mead", "Powell", "COBYLA", "COBYQA"]


def bowl(p):
    return ((p["a"] - 1) ** 2).sum() + (p["b"][0] ** 2).sum() + (p["a"].sum() - p["b"][0].sum()) ** 2


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("method", [*GRADIENT, *BLIND, "trust-constr"])
@pytest.mark.filterwarnings("ignore:delta_grad == 0.0")
def test_every_method_finds_the_least_value_over_a_tree(method, dtype):
    """A quadratic: its least value solves three linear equations, a = 5 / 7, 5 / 7 and b = 6 / 7 of [a, a, b]."""
    found = tm.optim.minimize(bowl, {"a": np.array([3.0, 2.0], dtype), "b": [np.array([[1.0]], dtype)]}, method=method)
    hessian = 2 * (np.diag([1.0, 1.0, 1.0]) + np.outer([1, 1, -1], [1, 1, -1]))
    want = np.linalg.solve(hessian, [2.0, 2.0, 0.0])
    tolerance = 2e-3 if method in BLIND or method == "trust-constr" else 1e-4
    np.testing.assert_allclose([*found.x["a"].tolist(), found.x["b"][0].item()], want, atol=tolerance)
    assert found.x["a"].dtype == dtype
    assert found.x["b"][0].shape == (1, 1)


def test_a_network_is_minimised_as_it_is():
    x, y = steps.network_data()
    net = small_network()
    before = net.state_dict()
    found = tm.optim.minimize(
        lambda net: F.binary_cross_entropy_with_logits(net(x), y) + 1e-2 * sum((p**2).sum() for p in net.parameters()),
        net,
        method="BFGS",
    )
    assert isinstance(found.x, tm.nn.Sequential)
    assert max(np.abs(g.detach().numpy()).max() for g in found.jac.parameters()) < 1e-4
    for key, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[key])


@pytest.mark.parametrize("method", ["L-BFGS-B", "TNC", "SLSQP", "trust-constr", "Nelder-Mead", "Powell", "COBYQA"])
@pytest.mark.filterwarnings("ignore:delta_grad == 0.0")
def test_bounds_are_trees_numbers_or_none(method):
    bounds = (0.0, {"a": np.array([1.0, 2.0]), "b": np.array([np.inf])})
    found = tm.optim.minimize(
        lambda p: ((p["a"] - 3) ** 2).sum() + ((p["b"] + 1) ** 2).sum(),
        {"a": np.full(2, 0.5), "b": np.full(1, 0.5)},
        method=method,
        bounds=bounds,
    )
    np.testing.assert_allclose(found.x["a"].numpy(), [1.0, 2.0], atol=1e-3)
    np.testing.assert_allclose(found.x["b"].numpy(), [0.0], atol=1e-3)


@pytest.mark.parametrize("method", ["trust-constr", "SLSQP", "COBYLA", "COBYQA"])
@pytest.mark.filterwarnings("ignore:delta_grad == 0.0")
def test_a_constraint_on_the_tree_holds_at_the_end(method):
    """The point of the unit disc next to (3, 3)."""
    inside = {"type": "ineq", "fun": lambda p: 1 - (p["a"] ** 2).sum()}
    if method == "trust-constr":
        inside = scipy.optimize.NonlinearConstraint(lambda p: (p["a"] ** 2).sum(), -np.inf, 1.0)
    start = {"a": np.full(2, 0.1)}
    found = tm.optim.minimize(lambda p: ((p["a"] - 3) ** 2).sum(), start, method=method, constraints=inside)
    np.testing.assert_allclose(found.x["a"].numpy(), np.sqrt([0.5, 0.5]), atol=2e-3)


def test_what_cannot_be_minimised_is_named():
    with pytest.raises(tm.ArgumentError, match="newton"):
        tm.optim.minimize(bowl, {"a": np.ones(2), "b": [np.ones(1)]}, method="newton")
    with pytest.raises(tm.MathError):
        tm.optim.minimize(lambda x: x, np.ones(2))
    with pytest.raises(tm.MathError):
        tm.optim.minimize(lambda x: (x**2).sum(), np.ones(2), constraints="none")


class Frozen(tm.nn.Module):
    """A frozen bias, a buffer and a constant beside the weight that learns."""

    def __init__(self):
        super().__init__()
        self.layer = tm.nn.Linear(2, 1, rng=0)
        self.layer.bias.requires_grad_(False)
        self.register_buffer("count", tm.tensor(3))
        self.shift = tm.tensor([0.5])

    def forward(self, x):
        return self.layer(x) + self.shift + self.count


def fixed_loss(net, batch):
    x, y = batch
    return ((net(x) - y) ** 2).mean()


@pytest.mark.parametrize("method", ["trust-ncg", "trust-exact", "l-bfgs-b", "nelder-mead", "slsqp"])
@pytest.mark.parametrize("client", [None, "synchronous"])
def test_minimize_moves_what_learns_and_nothing_else(method, client):
    rng = np.random.default_rng(0)
    x, net = rng.normal(size=(20, 2)), Frozen()
    y = x @ np.array([[1.0], [-2.0]]) + 1.5
    offset = (net.layer.bias + net.shift + net.count).detach().numpy()
    want = np.linalg.lstsq(x, y - offset, rcond=None)[0].T
    before = {k: np.array(v) for k, v in net.state_dict().items()}
    if client is None:
        found = tm.optim.minimize(lambda n: fixed_loss(n, (x, y)), net, method, tol=1e-10)
    else:
        pytest.importorskip("distributed")
        halves = [lambda: (x[:10], y[:10]), lambda: (x[10:], y[10:])]
        found = tm.optim.minimize(fixed_loss, net, method, tol=1e-10, data=halves, client=client)
    np.testing.assert_allclose(found.x.layer.weight.detach().numpy(), want, atol=1e-4)
    assert found.x.layer.bias.tolist() == net.layer.bias.tolist()
    assert (found.x.count.item(), found.x.count.dtype) == (3, net.count.dtype)
    assert found.x.shift.tolist() == [0.5]
    assert not found.x.layer.bias.requires_grad
    if method != "nelder-mead":
        assert found.jac.layer.weight.shape == (1, 2)
        assert found.jac.layer.bias.tolist() == [0.0]
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_minimize_bounds_what_learns_and_refuses_what_cannot_move():
    rng = np.random.default_rng(0)
    x, net = rng.normal(size=(20, 2)), Frozen()
    y = x @ np.array([[1.0], [-2.0]])

    def loss(n):
        return fixed_loss(n, (x, y))

    bounds = (tm.tree_map(lambda p: tm.zeros_like(p), net), None)
    found = tm.optim.minimize(loss, net, "l-bfgs-b", bounds=bounds)
    assert found.x.layer.weight.detach().numpy().min() >= 0
    constraint = {"type": "eq", "fun": lambda n: n.layer.weight.sum() - 1.0}
    found = tm.optim.minimize(loss, net, "slsqp", constraints=constraint)
    np.testing.assert_allclose(found.x.layer.weight.detach().numpy().sum(), 1.0, atol=1e-8)
    with pytest.raises(tm.ArgumentError, match="held fixed"):
        tm.optim.minimize(loss, net.requires_grad_(False))
