"""Where NumPy, PyTorch and JAX do not agree: what is decided here, a claim each."""

import gc
import warnings
import weakref

import numpy as np
import pytest

import tinygrad_math as tm


def leaf(values, name=None):
    return tm.tensor(values, requires_grad=True, name=name)


def close(a, b, tolerance=1e-12):
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=tolerance, atol=tolerance)


# -- names and dtypes ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "reduce", ["sum", "mean", "max", "min", "prod", "var", "std", "argmax", "cumsum", "all", "any"]
)
def test_the_error_for_dim_names_axis(reduce):
    x = tm.ones((2, 3))
    for call in (lambda: getattr(x, reduce)(dim=0), lambda: getattr(tm, reduce)(x, dim=0)):
        with pytest.raises(TypeError, match=r"'dim'.*axis= for dim=") as caught:
            call()
        assert isinstance(caught.value, tm.ArgumentError)


@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "var"])
def test_the_error_for_keepdim_names_keepdims(reduce):
    with pytest.raises(tm.ArgumentError, match="keepdims= for keepdim="):
        getattr(tm, reduce)(tm.ones((2, 3)), axis=0, keepdim=True)


def test_python_numbers_are_float64_and_float32_stays_float32_through_every_step():
    assert tm.tensor(1.0).dtype == tm.tensor([1.0]).dtype == np.float64
    assert tm.tensor(1).dtype == np.int64
    x = np.array([0.5, 2.0], np.float32)

    def f(x):
        y = 2.0 * x + 1
        y = tm.where(y > 2, y**2, tm.exp(y) / 3.0)
        return tm.sum(tm.linalg.norm(y) * tm.log1p(y) + tm.clip(y, 0.0, 1.0))

    results = (
        f(x),
        tm.grad(f)(x),
        tm.jvp(f, (x,), (x,))[1],
        tm.hvp(f, x, x),
        tm.hessian(f)(x),
        tm.jacobian(lambda x: 2.0 * x)(x),
        tm.vjp(lambda x: 2.0 * x, x)[1](x)[0],
    )
    assert {str(r.dtype) for r in results} == {"float32"}
    t = tm.tensor(x, requires_grad=True)
    (t * np.float64(2.0) * np.ones(2)).sum().backward()
    assert t.grad.dtype == np.float32


# -- backward -----------------------------------------------------------------------------------------
def test_a_non_scalar_backward_raises_and_asks_for_a_cotangent():
    x = leaf([1.0, 2.0])
    for error in (ValueError, RuntimeError):
        with pytest.raises(error, match=r"\(2,\).*cotangent"):
            (x * x).backward()
    assert x.grad is None
    (x * x).backward([1.0, 10.0])
    assert x.grad.tolist() == [2.0, 40.0]


def test_the_graph_stays_after_backward_and_goes_with_its_last_reference():
    gc.collect()
    gc.disable()
    try:
        x = leaf([1.0, 2.0], "x")
        h = x * x
        y = h.sum()
        y.backward()
        assert "multiply" in tm.graph(y).text()
        y.backward()
        node = weakref.ref(h.node)
        del h
        assert node() is not None
        del y
        assert node() is None
    finally:
        gc.enable()


def test_repeated_backward_accumulates_once_into_leaves_and_intermediates_never_double():
    x = leaf(3.0)
    h = x * x
    h.retain_grad()
    y = h * 2
    y.backward()
    y.backward()
    assert x.grad.item() == 2 * 12.0  # two gradients, and not 12 + 24 through a doubled h
    assert h.grad.item() == 2 * 2.0


def test_an_unused_input_is_zero_for_a_transform_and_an_error_for_grad_of():
    assert tm.grad(lambda a, b: a * a, argnums=1)(2.0, 3.0).item() == 0.0
    assert tm.jacobian(lambda a: np.ones(2))(np.ones(3)).tolist() == [[0.0] * 3] * 2
    x, u = leaf(2.0), leaf(3.0, "u")
    for error in (ValueError, RuntimeError):
        with pytest.raises(error, match="u; pass allow_unused=True"):
            tm.grad_of(x * x, [x, u])
    used, unused = tm.grad_of(x * x, [x, u], allow_unused=True)
    assert used.item() == 4.0
    assert unused is None


# -- complex ------------------------------------------------------------------------------------------
def test_minus_the_gradient_of_a_complex_number_descends():
    def loss(z):
        return tm.real((z - (1 + 2j)) * tm.conj(z - (1 + 2j)))

    z = 3.0 - 1.0j
    close(tm.grad(loss)(z).item(), 2 * (z - (1 + 2j)))  # d/d(re) + i d/d(im)
    for _ in range(50):
        z = z - 0.2 * tm.grad(loss)(z).item()
    close(z, 1 + 2j, 1e-8)


def test_holomorphic_gives_the_derivative():
    z = 0.3 + 0.4j
    close(tm.grad(tm.exp, holomorphic=True)(z).item(), np.exp(z))
    close(tm.grad(lambda z: z**3, holomorphic=True)(z).item(), 3 * z * z)
    close(tm.jacobian(lambda z: z * z, holomorphic=True)(np.array([z, 1j])).numpy(), np.diag([2 * z, 2j]))
    with pytest.raises(TypeError, match="holomorphic=True"):
        tm.grad(lambda z: z * z)(z)
    with pytest.raises(TypeError, match="complex inputs"):
        tm.grad(lambda x: tm.exp(1j * x), holomorphic=True)(0.5)


# -- subgradients -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "f",
    [
        tm.abs,
        tm.sign,
        tm.nn.functional.relu,
        lambda x: tm.linalg.norm(x[None]),
        lambda x: tm.linalg.norm(tm.stack([x, 2.0 * x])),
        lambda x: tm.linalg.vector_norm(tm.stack([x, x]), ord=1),
        lambda x: tm.linalg.vector_norm(tm.stack([x, x]), ord=3),
        lambda x: tm.linalg.norm(tm.reshape(x, (1, 1)), "fro"),
        lambda x: tm.abs(x * (1 + 1j)),
    ],
    ids=["abs", "sign", "relu", "norm1", "norm2", "l1", "l3", "fro", "complex abs"],
)
def test_the_subgradient_at_zero_is_zero(f):
    assert tm.grad(f)(0.0).item() == 0.0
    assert tm.jvp(f, (0.0,), (1.0,))[1].item() == 0.0


def test_sign_has_derivative_zero_everywhere():
    assert tm.grad(lambda x: tm.sign(x).sum())(np.array([-2.0, 0.0, 3.0])).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("f", [tm.max, tm.amax, tm.linalg.vector_norm], ids=["max", "amax", "largest norm"])
def test_ties_of_the_largest_share_its_gradient(f):
    x = np.array([3.0, 1.0, 3.0])
    g = tm.grad(lambda x: f(x) if f is not tm.linalg.vector_norm else f(x, ord=np.inf))(x)
    assert g.tolist() == [0.5, 0.0, 0.5]


def test_ties_of_the_smallest_and_of_two_arrays_share():
    assert tm.grad(tm.min)(np.array([1.0, 1.0, 2.0, 1.0])).tolist() == [1 / 3, 1 / 3, 0.0, 1 / 3]
    for f in (tm.maximum, tm.minimum, tm.fmax, tm.fmin):
        assert [g.item() for g in tm.grad(f, argnums=(0, 1))(2.0, 2.0)] == [0.5, 0.5]
        assert tm.jvp(f, (2.0, 2.0), (1.0, 3.0))[1].item() == 2.0


def test_clip_passes_one_on_its_bounds_and_zero_beyond():
    g = tm.grad(lambda x: tm.clip(x, -1.0, 1.0).sum())(np.array([-2.0, -1.0, 0.0, 1.0, 2.0]))
    assert g.tolist() == [0.0, 1.0, 1.0, 1.0, 0.0]


# -- linear algebra -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "f",
    [
        lambda a: tm.linalg.eigh(a).eigenvalues[0],
        lambda a: tm.linalg.eigvalsh(a)[1],
        lambda a: (tm.linalg.eigh(a).eigenvectors[:, 0] ** 2)[1],
        lambda a: tm.linalg.cholesky(a)[2, 1],
    ],
    ids=["eigh", "eigvalsh", "eigenvector", "cholesky"],
)
def test_gradients_of_functions_of_symmetric_matrices_are_symmetric(f):
    a = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]])
    g = tm.grad(f)(a).numpy()
    close(g, g.T)
    d = np.array([[0.3, -0.1, 0.7], [-0.1, 0.2, 0.4], [0.7, 0.4, -0.5]])
    h = 1e-6
    close(np.sum(g * d), (f(a + h * d) - f(a - h * d)).item() / (2 * h), 1e-7)


def test_degenerate_eigenvalues_have_the_gradient_of_what_does_not_depend_on_the_choice_of_vectors():
    a = np.diag([2.0, 2.0, 5.0])
    close(tm.grad(lambda a: tm.linalg.eigh(a).eigenvalues.sum())(a), np.eye(3))

    def through_vectors(a):
        w, v = tm.linalg.eigh(a)
        return ((v * w**3) @ v.T)[0, 1]  # a^3, whatever the vectors

    close(tm.grad(through_vectors)(a), tm.grad(lambda a: ((a + a.T) @ (a + a.T) @ (a + a.T) / 8)[0, 1])(a), 1e-9)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_a_degenerate_eigenvector_raises_and_names_the_values(mode):
    def f(a):
        return tm.linalg.eigh(a).eigenvectors[0, 0]

    derivative = tm.grad(f) if mode == "reverse" else lambda a: tm.jvp(f, (a,), (np.ones((3, 3)),))
    with pytest.raises(tm.IllPosedDerivative, match=r"eigenvalue.*2"):
        derivative(np.diag([2.0, 2.0, 5.0]))


def test_degenerate_singular_values_have_a_gradient_or_an_error_but_never_a_silent_nan():
    a = np.diag([2.0, 2.0])
    close(tm.grad(lambda a: tm.linalg.svdvals(a).sum())(a), np.eye(2))
    close(tm.grad(lambda a: tm.linalg.norm(a, "nuc"))(a), np.eye(2))
    with pytest.raises(ArithmeticError, match="singular value"):
        tm.grad(lambda a: tm.linalg.svd(a)[0][0, 0])(a)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_the_gradient_of_a_determinant_is_the_cofactor_matrix_at_every_rank(n):
    rng = np.random.default_rng(n)
    for rank in range(n + 1):
        a = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, n)) if rank else np.zeros((n, n))
        minors = [[np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(n)] for i in range(n)]
        signs = (-1.0) ** np.add.outer(np.arange(n), np.arange(n))
        close(tm.grad(tm.linalg.det)(a), signs * np.array(minors), 1e-9)


# -- indices, branches, losses --------------------------------------------------------------------------
@pytest.mark.parametrize("index", [3, -4, [0, 3], (0, 5), np.array([7])])
def test_an_index_out_of_bounds_is_an_index_error(index):
    x = tm.ones((3, 2))
    for use in (lambda: x[index], lambda: x.__setitem__(index, 1.0), lambda: x.at[index].add(1.0)):
        with pytest.raises(IndexError) as caught:
            use()
        assert isinstance(caught.value, tm.MathError)
    assert x.tolist() == [[1.0, 1.0]] * 3


def test_where_is_ieee_and_piecewise_evaluates_each_branch_on_its_own_elements():
    x = np.array([0.0, 4.0])
    g = tm.grad(lambda x: tm.where(x > 0, tm.sqrt(x), 0.0).sum())(x).numpy()
    assert np.isnan(g[0])
    assert g[1] == 0.25
    h = tm.grad(lambda x: tm.piecewise(x, [x > 0], [tm.sqrt, 0.0]).sum())(x)
    assert h.tolist() == [0.0, 0.25]


@pytest.mark.parametrize("shapes", [((3,), (3, 1)), ((3, 1), (3,)), ((2, 3), (3,)), ((3,), ())])
def test_a_loss_of_two_shapes_raises(shapes):
    a, b = map(np.ones, shapes)
    with pytest.raises(ValueError, match="shapes must be equal") as caught:
        tm.nn.functional.mse_loss(a, b)
    assert isinstance(caught.value, tm.ShapeError)
    assert str(shapes[0]) in str(caught.value)
    assert str(shapes[1]) in str(caught.value)


# -- changes and traces -------------------------------------------------------------------------------
def _step(x):
    optimizer = tm.optim.SGD([x], lr=0.1)
    x.grad = tm.ones(2)
    optimizer.step()


def _no_grad_in_place(x):
    with tm.no_grad():
        x += 1.0


def _no_grad_assignment(x):
    with tm.no_grad():
        x[0] = 5.0


CHANGES = {
    "written": lambda x: x.data.fill(5.0),
    "replaced": lambda x: setattr(x, "data", [5.0, 6.0]),
    "step": _step,
    "in place": _no_grad_in_place,
    "assignment": _no_grad_assignment,
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_after_its_use_raises_and_names_the_tensor_and_the_op(change):
    x = leaf([1.0, 2.0], "weight")
    y = (x * x).sum()
    CHANGES[change](x)
    with pytest.raises(RuntimeError, match=r"'weight' was changed after multiply") as caught:
        y.backward()
    assert isinstance(caught.value, tm.ChangedAfterUse)
    with pytest.raises(tm.ChangedAfterUse):
        tm.grad_of(y, [x])
    x.grad = None
    (x * x).sum().backward()
    close(x.grad.numpy(), 2 * x.detach().numpy())


def test_a_second_backward_after_a_step_raises():
    x = leaf([1.0, 2.0], "weight")
    y = (x * x).sum()
    y.backward()
    tm.optim.SGD([x], lr=0.1).step()
    with pytest.raises(tm.ChangedAfterUse, match="weight"):
        y.backward()


def _branches(x):
    if x > 0:
        return x * x
    return -x


def test_a_value_dependent_if_is_allowed_eagerly_and_refused_by_a_trace_that_names_the_line():
    assert tm.grad(_branches)(3.0).item() == 6.0
    assert tm.grad(_branches)(-3.0).item() == -1.0
    assert _branches(leaf(-3.0)).item() == 3.0
    with pytest.raises(tm.TraceError) as caught:
        tm.compile(_branches)(3.0)
    assert "if x > 0" in str(caught.value) or "test_decisions.py" in str(caught.value)


def test_functions_give_tensors_for_arrays_too_and_warn_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for y in (tm.sin(np.ones(2)), tm.sum([1, 2]), np.sin(tm.ones(2)), np.ones((2, 2)) @ tm.ones(2)):
            assert isinstance(y, tm.Tensor)


def test_numpy_is_told_to_detach():
    x = leaf([1.0])
    for convert in (np.asarray, np.array, lambda x: x.numpy()):
        with pytest.raises(TypeError, match=r"\.detach\(\)\.numpy\(\)"):
            convert(x)
    assert np.asarray(x.detach()).tolist() == [1.0]
