"""Curvature and second-order methods over shards are those of all rows."""

import numpy as np
import pytest
from scipy.special import expit
from shard_rows import SHARDS, W, X, Y, by_hand, flat, logistic, loss

import tinygrad_math as tm

pytest.importorskip("distributed")
D = tm.distributed


def vector_scores(w, batch):
    return batch[0] @ w[:3] + w[3]


def vector_loss(w, batch):
    return logistic(vector_scores(w, batch), batch[1])


def vector_losses(w, batch):
    z = vector_scores(w, batch)
    return tm.logaddexp(0.0, z) - batch[1] * z


POINT = np.append(W["w"], W["b"])


def fisher(likelihood):
    """The Fisher matrices of the scores of all rows, from their formulas; without a likelihood the empirical one."""
    a, z = np.column_stack([X, np.ones(len(X))]), X @ W["w"] + W["b"]
    p = expit(z)
    weights = {None: (p - Y) ** 2, "bernoulli": p * (1 - p), "gaussian": np.ones(len(X)), "poisson": np.exp(z)}
    return (a.T * weights[likelihood]) @ a / len(X)


def test_operators_over_shards_are_the_matrices_of_all_rows(place):
    _, _, hessian = by_hand()
    C = tm.curvature
    shards = D.Shards(SHARDS, place)
    H = C.HessianOperator(vector_loss, POINT, data=shards)
    np.testing.assert_allclose(H.to_dense(), hessian, atol=1e-13)
    G = C.GGNOperator(lambda w, x: x @ w[:3] + w[3], logistic, POINT, data=shards)
    np.testing.assert_allclose(G.to_dense(), hessian, atol=1e-13)
    for likelihood in (None, "bernoulli", "gaussian", "poisson"):
        f = vector_losses if likelihood is None else vector_scores
        F = C.FisherOperator(f, POINT, likelihood, data=shards)
        np.testing.assert_allclose(F.to_dense(), fisher(likelihood), atol=1e-13)
    with pytest.raises(tm.ArgumentError, match="client= takes data="):
        C.KFACOperator(tm.nn.Linear(3, 2), client=place)
    np.testing.assert_allclose(C.solve(H, np.ones(4)), np.linalg.solve(hessian, np.ones(4)), rtol=1e-6)
    with pytest.raises(tm.ArgumentError, match="client= takes data="):
        C.HessianOperator(vector_loss, POINT, client=place)


def test_factors_of_layers_over_shards_are_those_of_all_rows(place):
    """Of one layer and unit variance they are the Fisher matrix (Martens, Grosse 2015)."""
    layer, a = tm.nn.Linear(3, 2, rng=0), np.column_stack([X, np.ones(len(X))])
    K = tm.curvature.KFACOperator(layer, data=SHARDS, client=place)
    v = np.random.default_rng(0).normal(size=8)
    rows = np.column_stack([v[:6].reshape(2, 3), v[6:]])  # the weights and the bias of each output
    want = rows @ (a.T @ a / len(X))
    np.testing.assert_allclose(K @ v, np.append(want[:, :3], want[:, 3]), atol=1e-13)


@pytest.mark.parametrize("method", ["trust-ncg", "L-BFGS-B", "dogleg", "Nelder-Mead"])
def test_minimize_over_shards_finds_the_least_loss_of_all_rows(client, method):
    from scipy.optimize import minimize

    def value(w):
        z = X @ w[:3] + w[3]
        return np.mean(np.logaddexp(0, z) - Y * z) + 0.01 * w @ w

    def regular(params, batch):
        return loss(params, batch) + 0.01 * ((params["w"] ** 2).sum() + params["b"] ** 2)

    want = minimize(value, np.zeros(4), tol=1e-12).x
    start = {"w": np.zeros(3), "b": 0.0}
    tight = {"tol": 1e-9} if method != "Nelder-Mead" else {"tol": 1e-7}
    place = "synchronous" if method == "Nelder-Mead" else client  # hundreds of values
    found = tm.optim.minimize(regular, start, method, data=SHARDS, client=place, **tight)
    np.testing.assert_allclose(flat(found.x), want, atol=2e-4)
    with pytest.raises(tm.ArgumentError, match="takes data="):
        tm.optim.minimize(regular, start, client=client)


def test_newtons_method_over_shards_takes_the_steps_of_one_machine(client):
    def both(place):
        net = tm.nn.Sequential(tm.nn.Linear(3, 4, rng=0), tm.nn.Tanh(), tm.nn.Linear(4, 1, rng=1))

        def loss(net, batch):
            return tm.nn.functional.mse_loss(net(batch[0])[:, 0], batch[1])

        closure = (lambda: loss(net, (X, Y))) if place is None else D.Closure(loss, net, SHARDS, place)
        opt = tm.optim.NewtonCG(net.parameters())
        losses = [opt.step(closure).item() for _ in range(4)]
        return losses, np.concatenate([p.detach().numpy().ravel() for p in net.parameters()])

    (want, there), (got, here) = both(None), both(client)
    np.testing.assert_allclose(got, want, rtol=1e-7)
    np.testing.assert_allclose(here, there, rtol=1e-5, atol=1e-7)
    assert both("synchronous")[1].tobytes() == here.tobytes()


def test_a_closure_serves_optimisers_that_take_gradients(client):
    w = tm.tensor(np.zeros(4), requires_grad=True)
    closure = D.Closure(vector_loss, w, SHARDS, client)
    opt = tm.optim.LBFGS([w], line_search_fn="strong_wolfe", max_iter=50)
    loss = opt.step(closure.backward)
    np.testing.assert_allclose(loss.item(), np.log(2), rtol=1e-12)
    at = X @ w.detach().numpy()[:3] + w.detach().numpy()[3]
    slope = np.column_stack([X, np.ones(len(X))]).T @ (expit(at) - Y) / len(X)
    assert np.abs(slope).max() < 1e-3
    for make in (tm.optim.LBFGS, tm.optim.SGD):  # which ask it for gradients by themselves
        before = w.detach().numpy().copy()
        with tm.no_grad():
            w += 1.0
        make([w], lr=0.1).step(closure)
        assert np.abs(w.detach().numpy() - before - 1.0).max() > 1e-3
    with pytest.raises(tm.ArgumentError, match="take NewtonCG, of the mean of the squares"):
        tm.optim.LevenbergMarquardt([w]).step(closure)
    with pytest.raises(tm.ArgumentError, match="not in the closure's params"):
        tm.optim.NewtonCG([tm.tensor([1.0], requires_grad=True)]).step(closure)
    with pytest.raises(tm.ArgumentError, match="params are Tensors"):
        D.Closure(vector_loss, np.zeros(4), SHARDS, client)
