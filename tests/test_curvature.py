"""Curvature by products: operators are known matrices, estimators known numbers, sparse matrices the dense ones."""

import copy
import pickle

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse

import tinygrad_math as tm
from tinygrad_math.curvature.colouring import column_colours, entries, star_colours
from tinygrad_math.transforms import matrices
from tinygrad_math.transforms.batching.trace import Recording

C = tm.curvature
X = np.random.default_rng(0).normal(size=(6, 3))
Y = np.random.default_rng(1).normal(size=(6, 2))


def _net(rng=0):
    return tm.nn.Sequential(tm.nn.Linear(3, 4, rng=rng), tm.nn.Tanh(), tm.nn.Linear(4, 2, rng=rng + 1))


def _dense(f, x):
    """The Jacobian of f over the flattened tree x, by central differences."""
    leaves, structure = tm.core.tree.flatten(x)
    flat = np.concatenate([np.ravel(v.detach().numpy() if isinstance(v, tm.Tensor) else v) for v in leaves])

    def at(vector):
        parts, start = [], 0
        for v in leaves:
            size = int(np.prod(v.shape, dtype=int))
            parts.append(tm.tensor(vector[start : start + size].reshape(v.shape)))
            start += size
        y = f(tm.core.tree.unflatten(structure, parts))
        return np.ravel(np.asarray(y.detach().numpy()))

    return np.stack([(at(flat + 1e-5 * e) - at(flat - 1e-5 * e)) / 2e-5 for e in np.eye(flat.size)], axis=-1)


# -- operators --------------------------------------------------------------------------------------------
def test_the_hessian_operator_is_the_hessian_of_a_tree():
    def f(p):
        return (p["a"] ** 2 * p["b"]).sum() + tm.sin(p["b"]).sum()

    x = {"a": np.array([1.0, 2.0]), "b": np.array([0.5, -1.0])}
    H = C.HessianOperator(f, x)
    a, b = x["a"], x["b"]
    want = np.block([[np.diag(2 * b), np.diag(2 * a)], [np.diag(2 * a), np.diag(-np.sin(b))]])
    np.testing.assert_allclose(H.to_dense(), want)
    np.testing.assert_allclose(H.T @ np.eye(4)[0], want[0])
    assert H.names == ["a[0]", "a[1]", "b[0]", "b[1]"]
    np.testing.assert_array_equal(H.tree(np.arange(4.0))["b"].numpy(), [2, 3])
    np.testing.assert_array_equal(H.vector(H.tree(np.arange(4.0))), np.arange(4.0))


def test_a_module_has_rows_named_by_its_parameters():
    H = C.HessianOperator(lambda net: tm.nn.functional.mse_loss(net(X), Y), _net())
    assert H.shape == (26, 26)
    assert H.names[5] == "0.weight[1,2]"
    dense = H.to_dense()
    np.testing.assert_allclose(dense, dense.T, atol=1e-12)
    v = np.random.default_rng(0).normal(size=26)
    product = tm.hvp(lambda net: tm.nn.functional.mse_loss(net(X), Y), _net(), H.tree(v))
    np.testing.assert_allclose(H @ v, H.vector(product), atol=1e-12)


def test_the_jacobian_operator_and_its_transpose():
    def f(p):
        return {"y": tm.tanh(p["w"] @ np.arange(3.0)), "n": (p["w"] ** 2).sum()}

    w = {"w": np.random.default_rng(0).normal(size=(2, 3))}
    J = C.JacobianOperator(f, w)
    want = _dense(lambda p: tm.concatenate([f(p)["y"], f(p)["n"].reshape(1)]), w)
    np.testing.assert_allclose(J.to_dense(), want, atol=1e-8)
    np.testing.assert_allclose(J.T @ np.eye(3), want.T, atol=1e-8)
    assert J.names == ["y[0]", "y[1]", "n"]


def test_gauss_newton_is_its_definition_and_the_hessian_for_a_linear_model():
    def model(w):
        return tm.tensor(X) @ w

    def loss(y):
        return tm.special.logsumexp(y, axis=1).mean()

    w = np.random.default_rng(2).normal(size=(3, 2))
    G = C.GGNOperator(model, loss, w)
    np.testing.assert_allclose(G.to_dense(), C.HessianOperator(lambda w: loss(model(w)), w).to_dense(), atol=1e-12)
    np.testing.assert_allclose(C.GGNOperator((model, loss), w).to_dense(), G.to_dense())
    net = _net()
    G = C.GGNOperator(lambda net: net(X), lambda y: ((y - Y) ** 2).sum(), net)
    J = _dense(lambda net: net(X), net)
    np.testing.assert_allclose(G.to_dense(), 2 * J.T @ J, atol=1e-6)


@pytest.mark.parametrize("likelihood", ["gaussian", "categorical", "bernoulli", "poisson"])
def test_the_fisher_matrix_is_the_mean_of_each_examples(likelihood):
    net = _net()
    F = C.FisherOperator(lambda net: net(X), net, likelihood=likelihood).to_dense()
    want = 0
    for x in X:
        J, z = _dense(lambda net, x=x: net(x), net), net(x).detach().numpy()
        p = np.exp(z) / np.exp(z).sum()
        s = 1 / (1 + np.exp(-z))
        cov = {"gaussian": np.eye(2), "categorical": np.diag(p) - np.outer(p, p), "bernoulli": np.diag(s * (1 - s))}
        want = want + J.T @ cov.get(likelihood, np.diag(np.exp(z))) @ J / len(X)
    np.testing.assert_allclose(F, want, atol=1e-7)


def test_the_empirical_fisher_matrix_is_the_mean_of_squared_gradients():
    def losses(net):
        return ((net(X) - Y) ** 2).sum(axis=1)

    J = _dense(losses, _net())
    np.testing.assert_allclose(C.FisherOperator(losses, _net()).to_dense(), J.T @ J / 6, atol=1e-5)


def test_curvature_over_batches_is_that_of_all_examples():
    def loss(net, batch):
        return tm.nn.functional.mse_loss(net(batch[0]), batch[1])

    loader = tm.data.DataLoader(tm.data.TensorDataset(X, Y), batch_size=4)
    whole = C.HessianOperator(lambda net: loss(net, (X, Y)), _net()).to_dense()
    np.testing.assert_allclose(C.HessianOperator(loss, _net(), data=loader).to_dense(), whole, atol=1e-12)
    G = C.GGNOperator(lambda net, x: net(x), tm.nn.functional.mse_loss, _net(), data=[(X[:5], Y[:5]), (X[5:], Y[5:])])
    want = C.GGNOperator(lambda net: net(X), lambda y: tm.nn.functional.mse_loss(y, Y), _net()).to_dense()
    np.testing.assert_allclose(G.to_dense(), want, atol=1e-12)


@pytest.mark.parametrize("likelihood", ["gaussian", "categorical", "bernoulli", "poisson"])
def test_kfac_of_one_example_is_the_fisher_block_of_each_layer(likelihood):
    """Of one example the Kronecker product is exact within a layer (Martens, Grosse 2015, section 3)."""
    net, x = _net(), X[:1]
    K = C.KFACOperator(net, x, likelihood).to_dense()
    F = C.FisherOperator(lambda net: net(x), net, likelihood=likelihood).to_dense()
    for block in (slice(0, 16), slice(16, 26)):
        np.testing.assert_allclose(K[block, block], F[block, block], atol=1e-12)
    np.testing.assert_array_equal(K[:16, 16:], 0)


@pytest.mark.parametrize("likelihood", ["gaussian", "categorical", "bernoulli", "poisson"])
def test_kfac_factors_are_means_over_all_batches(likelihood):
    want = C.KFACOperator(_net(), X, likelihood).to_dense()
    batches = [(X[:5], Y[:5]), (X[5:6], Y[5:6]), (X[6:], Y[6:])]
    np.testing.assert_allclose(C.KFACOperator(_net(), None, likelihood, batches).to_dense(), want, atol=1e-14)
    np.testing.assert_allclose(C.KFACOperator(_net(), likelihood=likelihood, data=[X]).to_dense(), want, atol=1e-14)
    for odd in ({}, {"inputs": X, "data": batches}):
        with pytest.raises(tm.ArgumentError, match="one of the two"):
            C.KFACOperator(_net(), **odd)


def test_kfac_does_not_ask_whether_parameters_learn():
    net = _net()
    want = C.KFACOperator(net, X).to_dense()
    for p in net.parameters():
        p.requires_grad_(False)
    np.testing.assert_array_equal(C.KFACOperator(net, X).to_dense(), want)


def test_kfac_solves_with_its_damped_matrix():
    K = C.KFACOperator(_net(), X, "categorical")
    b = np.random.default_rng(0).normal(size=26)
    np.testing.assert_allclose(K @ K.solve(b, 0.1) + 0.1 * K.solve(b, 0.1), b, atol=1e-10)


@pytest.mark.parametrize("rows_at_once", [1, 3, 100])
def test_many_products_are_recorded_once_and_taken_some_at_a_time(rows_at_once, monkeypatch):
    monkeypatch.setattr(matrices, "_LEAST", rows_at_once)
    monkeypatch.setattr(matrices, "_MEMORY", 1)
    made, runs = [], []
    begin, run = Recording.__init__, Recording.run
    monkeypatch.setattr(Recording, "__init__", lambda self, *args: made.append(self) or begin(self, *args))
    monkeypatch.setattr(Recording, "run", lambda self, seeds, size: runs.append(size) or run(self, seeds, size))
    rng = np.random.default_rng(0)
    a, x, vectors = rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=(3, 7))
    J = C.JacobianOperator(lambda x: tm.sin(a @ x), x)
    matrix = np.cos(a @ x)[:, None] * a
    for _ in range(2):
        np.testing.assert_allclose(J @ vectors, matrix @ vectors)
        np.testing.assert_allclose(J.T @ matrix, matrix.T @ matrix)
    assert len(made) == 2  # forth and back
    assert max(runs) == min(rows_at_once, 7)
    G = C.GGNOperator(lambda x: tm.sin(a @ x), lambda y: (y**4).sum(), x)
    want = matrix.T @ np.diag(12 * np.sin(a @ x) ** 2) @ matrix
    np.testing.assert_allclose(G @ vectors, want @ vectors)


@pytest.mark.parametrize("data", [None, [X]])
@pytest.mark.parametrize("used_before", [False, True])
def test_an_operator_stays_where_it_was_made(data, used_before):
    layer = tm.nn.Linear(3, 1, bias=False, rng=0)
    f = (lambda m: (m(X) ** 3).mean()) if data is None else (lambda m, batch: (m(batch) ** 3).mean())
    H = C.HessianOperator(f, layer, data)
    w = layer.weight.detach().numpy()[0].copy()
    want = np.mean([6 * (x @ w) * np.outer(x, x) for x in X], axis=0)
    if used_before:
        H @ np.ones(3)
    with tm.no_grad():
        layer.weight[...] = 0.0
    np.testing.assert_allclose(H.to_dense(), want)
    x = np.array([1.0, 2.0])
    cubes = C.HessianOperator(lambda x: (x**3).sum(), x)
    x[:] = 0.0
    np.testing.assert_allclose(cubes.to_dense(), np.diag([6.0, 12.0]))


def test_operators_are_copied_after_their_products_too():
    for make in (C.HessianOperator, C.JacobianOperator):
        A = make(rosenbrock, np.ones(3))
        want = A @ np.eye(3)
        for copied in (copy.deepcopy(A), pickle.loads(pickle.dumps(A))):
            np.testing.assert_array_equal(copied @ np.eye(3), want)


def test_a_transposed_jacobian_has_the_names_of_the_columns():
    J = C.JacobianOperator(lambda p: p["a"] * p["b"], {"a": np.ones(2), "b": 2.0})
    assert J.T.names == ["a[0]", "a[1]", "b"] == J.columns.names
    assert J.T.T is J
    np.testing.assert_array_equal(J.H.to_dense(), J.to_dense().T)


@pytest.mark.parametrize("product", ["dot", "matvec", "matmat", "rmatvec", "rmatmat"])
def test_vectors_of_another_size_are_named(product):
    for operator in (C.HessianOperator(rosenbrock, np.ones(3)), C.JacobianOperator(tm.sin, np.ones(3)).T):
        multiply = getattr(operator, product)
        for wrong in (np.ones(4), np.ones((4, 3)), np.ones((3, 1, 1))):
            with pytest.raises(tm.ShapeError, match=r"\(3, 3\) is multiplied by vectors of 3 numbers.*got"):
                multiply(wrong)
        with pytest.raises(tm.DTypeError, match=r"take its vector\(tree\)"):
            multiply({"a": 3.0})


def test_scipy_takes_the_operators():
    def f(x):
        return (x**4).sum() + (x[1:] * x[:-1]).sum()

    x = np.linspace(1, 2, 12)
    H = C.HessianOperator(f, x)
    dense = H.to_dense()
    np.testing.assert_allclose(
        scipy.sparse.linalg.eigsh(H, 3, return_eigenvectors=False), np.linalg.eigvalsh(dense)[-3:]
    )
    np.testing.assert_allclose((H + 2 * H) @ x, 3 * dense @ x)


# -- estimators -------------------------------------------------------------------------------------------
def _matrix(n=40):
    q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(n, n)))
    return q * np.linspace(1, 10, n) @ q.T


def test_estimators_come_near_the_numbers_of_a_known_matrix():
    A = _matrix()
    for method, spread in (("hutch++", 14.0), ("hutchinson", 9.0)):  # sqrt(2 / samples) of the Frobenius norm off it
        found = [C.trace(A, samples=30, method=method, rng=seed) for seed in range(64)]
        assert abs(np.mean(found) - np.trace(A)) < 4 * spread / 8
        assert np.std(found) < 1.5 * spread
    decaying = np.diag(2.0 ** -np.arange(40.0))
    assert abs(C.trace(decaying, samples=30) - 2) < 0.01  # the large eigenvalues are found, and count exactly
    assert C.trace(A, samples=40) == pytest.approx(np.trace(A))
    np.testing.assert_allclose(C.diagonal(A, samples=30), np.diag(A), rtol=0.5)
    np.testing.assert_allclose(C.diagonal(A, samples=40), np.diag(A))
    assert abs(C.logdet(A) - np.linalg.slogdet(A)[1]) < 5.0  # four deviations of 20 random starts
    np.testing.assert_allclose(C.eigenvalues(A, 3), [9.53846154, 9.76923077, 10])


def test_the_matrix_of_zeros_has_eigenvalues():
    H = C.HessianOperator(lambda x: x.sum(), np.ones(9))
    for which in ("LM", "LA", "SA"):
        assert C.eigenvalues(H, 2, which=which).tolist() == [0.0, 0.0]
    projection = np.zeros((30, 30))
    projection[3, 3] = 2.0
    np.testing.assert_allclose(C.eigenvalues(projection, 2), [0.0, 2.0], atol=1e-12)


@pytest.mark.parametrize("size", [1e-300, 1e-170, 1e170, 1e300, 0.0])
@pytest.mark.parametrize("method", ["cg", "minres"])
def test_solutions_grow_with_the_right_hand_side(method, size):
    A, b = np.diag([1.0, 2.0, 3.0]) + 0.1, np.array([1.0, -2.0, 0.5])
    want = np.linalg.solve(A, b)
    np.testing.assert_allclose(C.solve(A, size * b, method=method), size * want, rtol=1e-7)
    H = C.HessianOperator(lambda x: x @ A @ x / 2, np.zeros(3))
    np.testing.assert_allclose(C.influence(H, size * b, b, damping=0.0, method=method), -size * (b @ want), rtol=1e-7)


@pytest.mark.parametrize("size", [1e-15, 1e-100, 1e100])
def test_a_logarithm_of_a_determinant_and_a_density_are_the_same_at_every_size_of_a_matrix(size):
    A = np.diag(np.arange(1.0, 10.0)) + 0.1
    assert abs(C.logdet(size * A) - 9 * np.log(size) - C.logdet(A)) < 1e-9
    (t, phi), (s, psi) = C.density(A), C.density(size * A)
    np.testing.assert_allclose((s / size, psi * size), (t, phi), rtol=1e-6, atol=1e-9)


def test_a_density_has_its_mass_where_the_eigenvalues_are():
    t, phi = C.density(np.diag([1.0] * 30 + [5.0] * 10), points=2001, width=0.05)
    assert np.trapezoid(phi, t) == pytest.approx(1, abs=1e-3)
    assert np.trapezoid(phi[t > 3], t[t > 3]) == pytest.approx(0.25, abs=0.05)


def test_solutions_hold_and_what_cannot_be_solved_is_named():
    A, b = _matrix(), np.arange(40.0)
    for method in ("cg", "minres"):
        np.testing.assert_allclose(A @ C.solve(A, b, method=method), b, atol=1e-6)
    np.testing.assert_allclose(C.solve(A, b, damping=2.0), np.linalg.solve(A + 2 * np.eye(40), b), atol=1e-8)
    with pytest.raises(tm.NoConvergence, match="residual"):
        C.solve(np.diag([1.0, 0.0]), np.array([1.0, 1.0]), maxiter=5)
    with pytest.raises(tm.OutsideDomain, match="positive definite"):
        C.logdet(np.diag([1.0, -1.0]))


def test_what_is_not_finite_or_not_known_is_named_whatever_the_size():
    for n in (3, 9):
        with pytest.raises(tm.OutsideDomain, match="eigenvalues: a product with the matrix is not finite"):
            C.eigenvalues(np.full((n, n), np.nan))
        with pytest.raises(tm.errors.ArgumentError, match="which is one of LM"):
            C.eigenvalues(np.eye(n), which="XX")
        with pytest.raises(tm.errors.ArgumentError, match=r"solve: b is finite, and has NaN or an infinity at \[0\]"):
            C.solve(np.eye(n), np.where(np.arange(n) == 0, np.inf, 1.0))


def test_influence_is_the_change_after_retraining():
    """Of ridge regression, whose solution is known: the derivative of the test loss in one example's weight."""

    def w_of(weights):
        return np.linalg.solve(X.T @ (weights[:, None] * X) + np.eye(3), X.T @ (weights * Y[:, 0]))

    def test(w):
        return (0.3 * w[0] - w[1]) ** 2

    e = np.eye(6)[2]
    slope = (test(w_of(1 + 1e-5 * e)) - test(w_of(1 - 1e-5 * e))) / 2e-5
    w = w_of(np.ones(6))
    H = C.HessianOperator(lambda w: ((tm.tensor(X) @ w - Y[:, 0]) ** 2).sum() / 2 + (w * w).sum() / 2, w)
    g = tm.grad(lambda w: (tm.tensor(X[2]) @ w - Y[2, 0]) ** 2 / 2)(w).numpy()
    assert C.influence(H, g, tm.grad(test)(w).numpy(), damping=0.0) == pytest.approx(slope, rel=1e-6)


# -- sparsity ---------------------------------------------------------------------------------------------
def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def test_the_sparse_hessian_of_rosenbrock_takes_three_products():
    x = np.linspace(-1, 1, 60)
    for compiled in (False, True):
        H = C.sparse_hessian(rosenbrock, x, compiled=compiled)
        np.testing.assert_allclose(H.toarray(), scipy.optimize.rosen_hess(x), atol=1e-9)
    pattern = C.sparsity(rosenbrock, x)
    assert (pattern.nnz, pattern.products, pattern.kind) == (178, 3, "hessian")
    np.testing.assert_allclose(C.sparse_hessian(rosenbrock, x, pattern=pattern).toarray(), H.toarray())


_PARTS = [
    lambda x: x[1:] * x[:-1],
    lambda x: tm.sin(x[::2]) * 2,
    lambda x: x[np.array([3, 0, 0, 5])] ** 2,
    lambda x: tm.concatenate([x[:3], tm.exp(x[4:6])]),
    lambda x: x.reshape(2, -1).sum(axis=0),
    lambda x: x.reshape(2, -1).T @ x[:2],
    lambda x: x.at[2].set(x[0] * x[1]),
    lambda x: x.at[np.array([1, 1, 4])].add(x[:3] ** 2),
    lambda x: tm.where(x > 0, x * x, 0.0),
    lambda x: tm.special.softmax(x.reshape(2, -1), axis=1)[:, 0],
    lambda x: tm.cumsum(x[:4]),
    lambda x: tm.flip(x)[:3] * x[3:6],
    lambda x: np.diag([1.0, 0.0, 2.0]) @ x[:3],
    lambda x: tm.linalg.solve(3 * np.eye(2) + x[:4].reshape(2, 2), x[4:6]),
    lambda x: tm.max(x[:3]) * x[5:],
    lambda x: tm.linalg.eigh(tm.outer(x[:2], x[:2]) + np.diag([1.0, 3.0]))[0],
    lambda x: tm.einsum("i,ij->j", x[:3], np.array([[1.0, 0, 0], [0, 0, 2], [0, 0, 0]])),
    lambda x: x - x,
]


@pytest.mark.parametrize("seed", [*range(40), *(pytest.param(s, marks=pytest.mark.long) for s in range(40, 200))])
def test_sparse_is_dense_on_random_functions(seed):
    rng = np.random.default_rng(seed)
    parts = [_PARTS[k] for k in rng.integers(len(_PARTS), size=3)]

    def f(x):
        return tm.concatenate([part(x).reshape(-1) for part in parts])

    x = rng.uniform(0.2, 1.5, 8)
    np.testing.assert_allclose(C.sparse_jacobian(f, x).toarray(), tm.jacobian(f)(x).numpy(), atol=1e-10)

    def g(x):
        return (tm.tanh(f(x)) ** 2).sum()

    np.testing.assert_allclose(C.sparse_hessian(g, x).toarray(), tm.hessian(g)(x).numpy(), atol=1e-9)


def test_a_pattern_holds_at_every_point_and_knows_no_accidental_zeros():
    pattern = C.sparsity(lambda x: x[0] * x[1] + x[2] ** 3, np.zeros(3))
    np.testing.assert_array_equal(pattern.toarray(), [[0, 1, 0], [1, 0, 0], [0, 0, 1]])


def test_a_pattern_that_closed_over_other_values_is_found_anew():
    w = np.array([1.0, 0.0, 0.0])

    def f(x):
        return (x * w) * x[::-1]

    x = np.array([1.0, 2.0, 3.0])
    C.sparse_jacobian(f, x)
    w[:] = [1.0, 1.0, 1.0]
    np.testing.assert_allclose(C.sparse_jacobian(f, x).toarray(), tm.jacobian(f)(x).numpy())


def test_an_arrow_takes_few_products_both_ways():
    x = np.linspace(1, 2, 50)

    def arrow(x):
        return (x[0] * x**2).sum()

    assert C.sparsity(arrow, x).products <= 3
    np.testing.assert_allclose(C.sparse_hessian(arrow, x).toarray(), tm.hessian(arrow)(x).numpy(), atol=1e-10)

    def rows(x):
        return tm.concatenate([x.sum().reshape(1) ** 2, x**2])

    assert C.sparsity(rows, x).products == 2
    np.testing.assert_allclose(C.sparse_jacobian(rows, x).toarray(), tm.jacobian(rows)(x).numpy(), atol=1e-10)


def test_independent_parts_are_found():
    pattern = C.sparsity(lambda x: x[0] * x[1] + x[2] * x[3], np.ones(4))
    assert pattern.blocks.tolist() == [0, 0, 1, 1]
    assert "hessian 4x4" in pattern.text()
    assert "█" in pattern.text()


def test_random_patterns_are_coloured_so_that_all_entries_are_told_apart():
    for seed in range(30):
        a = scipy.sparse.random_array((30, 30), density=0.08, rng=np.random.default_rng(seed))
        pattern = scipy.sparse.csr_array((a + a.T) != 0)
        i, j, colour, place = entries(pattern, star_colours(pattern))
        values = (a + a.T).toarray()
        colours = star_colours(pattern)
        products = np.stack([values[:, colours == c].sum(axis=1) for c in range(colours.max() + 1)])
        np.testing.assert_allclose(products[colour, place], values[i, j])
        columns = column_colours(pattern)
        for row in pattern.toarray():
            assert len(set(columns[row])) == row.sum()


@pytest.mark.long
def test_a_hundred_thousand_unknowns_take_memory_for_their_entries_only():
    x = np.linspace(-1, 1, 100_000)
    H = C.sparse_hessian(rosenbrock, x)
    assert H.nnz == 299_998
    np.testing.assert_allclose(H.diagonal()[1:-1], 1200 * x[1:-1] ** 2 - 400 * x[2:] + 202)


@pytest.mark.parametrize("size", [1e200, 1e-200, 1e300])
def test_determinants_densities_and_minres_are_of_matrices_of_any_size(size):
    A = np.diag([1.0, 2.0, 4.0]) * size
    np.testing.assert_allclose(C.logdet(A), np.log(8) + 3 * np.log(size), rtol=1e-12)
    t, phi = C.density(A, points=2001)
    np.testing.assert_allclose(np.trapezoid(phi * size, t / size), 1, atol=1e-4)
    np.testing.assert_allclose(C.solve(A, np.ones(3), method="minres") * size, [1, 0.5, 0.25])


def test_a_matrix_that_is_not_finite_has_no_determinant_and_no_density():
    for estimate in (C.logdet, C.density):
        with pytest.raises(tm.MathError, match="not finite"):
            estimate(np.diag([1.0, np.inf]))


def test_an_operator_over_no_numbers_is_a_matrix_of_none():
    assert C.HessianOperator(lambda x: (x**2).sum(), np.ones(0)).to_dense().shape == (0, 0)


def test_what_does_not_fit_is_named():
    with pytest.raises(tm.ArgumentError, match="does not fit x"):
        C.sparse_hessian(rosenbrock, np.ones(4), pattern=np.ones((3, 3)))
    with pytest.raises(tm.NonScalarError):
        C.HessianOperator(lambda x: x, np.ones(2)) @ np.ones(2)
    with pytest.raises(tm.DTypeError, match="real floating"):
        C.HessianOperator(rosenbrock, np.ones(3, complex))
    with pytest.raises(tm.ArgumentError, match="likelihood"):
        C.FisherOperator(rosenbrock, np.ones(3), likelihood="normal")
    with pytest.raises(tm.ArgumentError, match="belong to others"):
        C.KFACOperator(tm.nn.Sequential(tm.nn.Linear(3, 3), tm.nn.LayerNorm(3)), X)
    with pytest.raises(tm.ShapeError, match="square"):
        C.trace(np.ones((2, 3)))
    with pytest.raises(tm.ArgumentError, match=r"a tuple of arrays is one batch; give \[batch\]"):
        C.HessianOperator(lambda m, batch: (m(batch[0]) ** 2).mean(), tm.nn.Linear(3, 1), data=(X, X))


# -- what may not go wrong in silence ----------------------------------------------------------------------
def _cubes(x):
    return (x**3).sum()


@pytest.mark.parametrize(
    "f",
    [
        lambda x: tm.curvature.HessianOperator(_cubes, x) @ np.ones(2),
        lambda x: tm.curvature.HessianOperator(lambda z: (x * z).sum() ** 2, np.ones(2)) @ np.ones(2),
        lambda x: tm.curvature.JacobianOperator(lambda z: z * x, np.ones(2)).to_dense(),
        lambda x: tm.curvature.sparse_hessian(_cubes, x).toarray(),
        lambda x: tm.curvature.sparse_jacobian(lambda z: z * x, np.ones(2)).toarray(),
        lambda x: tm.curvature.KFACOperator(tm.nn.Linear(2, 1, rng=0), x[None]).to_dense(),
    ],
)
def test_numpys_matrices_are_refused_where_values_are_not_known(f):
    with pytest.raises(tm.TraceError, match="NumPy's arrays"):
        tm.vmap(f)(np.arange(8.0).reshape(4, 2))
    with pytest.raises(tm.TraceError, match="NumPy's arrays"):
        tm.vmap(tm.vmap(f))(np.arange(8.0).reshape(2, 2, 2))


def test_a_number_and_nothing_have_operators_too():
    H = tm.curvature.HessianOperator(lambda x: x**3, 2.0)
    np.testing.assert_allclose(H.to_dense(), [[12.0]])
    assert tm.curvature.HessianOperator(lambda x: x.sum(), np.zeros(0)).to_dense().shape == (0, 0)
    assert tm.curvature.sparse_hessian(lambda x: x.sum(), np.zeros(0)).shape == (0, 0)
    assert (H @ np.zeros((1, 0))).shape == (1, 0)


def test_a_pattern_that_is_too_small_is_refused():
    x = np.array([1.0, 2.0])
    for pattern in (np.eye(2), [[1, 0], [0, 1]]):
        with pytest.raises(tm.ArgumentError, match="no entry"):
            tm.curvature.sparse_jacobian(lambda x: x * x[::-1], x, pattern=pattern)
    with pytest.raises(tm.ArgumentError, match="3 rows"):
        tm.curvature.sparse_jacobian(lambda x: x * x, x, pattern=np.ones((3, 2)))


def test_products_are_compiled_with_what_the_function_closes_over():
    w = tm.tensor([1.0, 2.0])
    f = eval("lambda x: x * w", {"w": w})  # a global, found through what the products hold
    np.testing.assert_allclose(
        tm.curvature.sparse_jacobian(f, np.ones(2), compiled=True).toarray(), np.diag([1.0, 2.0])
    )


def test_a_determinant_of_zero_has_no_logarithm():
    with pytest.raises(tm.OutsideDomain, match="positive definite"):
        tm.curvature.logdet(np.diag([0.0, 1.0, 2.0]))
    for odd in ({"steps": 0}, {"starts": 0}):
        with pytest.raises(tm.ArgumentError, match="count from 1"):
            tm.curvature.logdet(np.eye(2), **odd)
    assert tm.curvature.trace(tm.tensor(np.diag([1.0, 2.0]))) == 3.0


def test_factors_say_what_they_cannot_do_and_need_no_recording():
    net, x = tm.nn.Sequential(tm.nn.Linear(3, 3, rng=0), tm.nn.Linear(3, 3, rng=1)), np.eye(3)
    K = tm.curvature.KFACOperator(net, x)
    with tm.no_grad():
        np.testing.assert_array_equal(tm.curvature.KFACOperator(net, x).to_dense(), K.to_dense())
    with pytest.raises(tm.ShapeError, match="no examples"):
        tm.curvature.KFACOperator(net, x[:0])
    with pytest.raises(tm.ShapeError, match=r"\(24,\)"):
        K.solve(np.ones(3), 0.1)
    net[1].weight = net[0].weight
    with pytest.raises(tm.ArgumentError, match="share"):
        tm.curvature.KFACOperator(net, x)


def test_an_iterator_of_batches_is_refused():
    H = tm.curvature.HessianOperator(lambda x, b: (x * b).sum(), np.ones(2), data=iter([np.ones((3, 2))]))
    with pytest.raises(tm.ArgumentError, match="iterator"):
        H @ np.ones(2)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: C.sparse_hessian(rosenbrock, x).sum() * x[0],
        lambda x: C.HessianOperator(rosenbrock, x).to_dense().sum() * x[0],
        lambda x: C.sparse_jacobian(lambda z: z * x, np.ones(3)).sum() * x[0],
        lambda x: C.solve(np.eye(3), x).sum() * x[0],
    ],
    ids=["sparse", "operator", "closure", "solve"],
)
def test_inside_a_transform_no_gradient_is_dropped_unseen(f):
    with pytest.raises(tm.NeedsDetach, match="drop the gradient"):
        tm.grad(f)(np.array([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("kind", ["HessianOperator", "FisherOperator", "JacobianOperator"])
@pytest.mark.parametrize("f", [3, np.ones(2), "f"])
def test_what_is_no_function_is_named(kind, f):
    with pytest.raises(tm.ArgumentError, match=f"{kind} takes a function, got"):
        getattr(tm.curvature, kind)(f, np.ones(2))


@pytest.mark.parametrize(
    "tree", [{"w": np.ones(3)}, [np.ones(2), np.ones(())], np.ones(2), {"w": np.ones(2), "b": 1.0, "c": 2.0}]
)
@pytest.mark.parametrize(
    "use", [lambda H, t: tm.curvature.influence(H, t, {"w": np.ones(2), "b": 1.0}), lambda H, t: H.vector(t)]
)
def test_a_tree_that_is_not_like_x_is_told_beside_x(tree, use):
    H = tm.curvature.HessianOperator(lambda p: (p["w"] ** 2).sum() + p["b"] ** 2, {"w": np.ones(2), "b": np.array(1.0)})
    if isinstance(tree, list):
        assert H.vector(tree).tolist() == [1.0, 1.0, 1.0]  # the same numbers in the same order
        return
    with pytest.raises(tm.ShapeError, match=r"a tree like x is expected, \{w: \*, b: \*\} of float64\(2,\), .*, got "):
        use(H, tree)
