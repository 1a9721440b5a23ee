"""Every topic of the lecture and the notes, with the number or the law that its page states.

Numbers are the sources' own; derivatives are held against finite differences in both modes, to second order.
"""

import math

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math import geometry, linalg
from tinygrad_math.testing import check_grads

RNG = np.random.default_rng(7)


def numbers(x):
    return np.asarray(x.detach() if isinstance(x, tm.Tensor) else x)


def close(got, want, tolerance=1e-12):
    np.testing.assert_allclose(numbers(got), numbers(want), rtol=0, atol=tolerance)


# -- linear equations, points, vectors --------------------------------------------------------------------


def test_a_linear_equation_is_a_dot_product():
    a, x = np.array([2.0, -1.0, 3.0]), np.array([1.0, 4.0, 2.0])
    close(tm.dot(a, x), 4.0)
    close(tm.tensor(a) @ x, 4.0)
    check_grads(tm.dot, (a, x))


def test_scalar_vector_row_column_matrix_and_tensor_have_their_shapes():
    x = tm.tensor([1.0, 2.0, 3.0])
    assert tm.tensor(5.0).shape == ()
    assert x.shape == (3,)
    assert geometry.column(x).shape == (3, 1)
    assert geometry.row(x).shape == (1, 3)
    assert tm.tensor(np.ones((2, 3))).shape == (2, 3)
    assert tm.tensor(np.ones((2, 3, 4))).ndim == 3


@pytest.mark.parametrize(
    ("p", "q", "want"),
    [
        (7.0, 4.0, 3.0),
        ([1.0, 2.0], [4.0, 6.0], 5.0),
        ([1.0, 2.0, 2.0], [0.0, 0.0, 0.0], 3.0),
        ([1.0] * 16, 0.0, 4.0),
    ],
)
def test_distance_is_the_root_of_the_sum_of_squared_differences(p, q, want):
    close(geometry.distance(p, q), want)


def test_distance_has_its_derivative():
    p, q = RNG.normal(size=(2, 4))
    check_grads(geometry.distance, (p, q))
    close(tm.grad(geometry.distance)(p, q), (p - q) / np.linalg.norm(p - q))


def test_vectors_add_subtract_and_multiply_to_87():
    a, b = tm.tensor([1.0, 7.0, 8.0]), tm.tensor([3.0, 4.0, 7.0])
    close(a + b, [4, 11, 15])
    close(a - b, [-2, 3, 1])
    close(tm.dot(a, b), 3 + 28 + 56)
    close(tm.vecdot(a, b), 87)
    close(tm.dot(a, a), numbers(linalg.norm(a)) ** 2, 1e-10)


def test_cross_product_is_orthogonal_to_both():
    a, b = RNG.normal(size=(2, 3))
    c = linalg.cross(a, b)
    close(tm.dot(c, a), 0)
    close(tm.dot(c, b), 0)
    check_grads(linalg.cross, (a, b))


def test_the_angle_is_90_degrees_exactly_where_the_dot_product_is_zero():
    a, b = np.array([1.0, 2.0]), np.array([-2.0, 1.0])
    close(geometry.angle(a, b), math.pi / 2)
    assert geometry.is_orthogonal(a, b)
    assert not geometry.is_orthogonal(a, [-2.0, 1.001])


def test_the_angle_is_the_arccos_of_the_quotient_with_its_derivative():
    a, b = RNG.normal(size=(2, 3))
    close(geometry.angle(a, b), math.acos(a @ b / np.linalg.norm(a) / np.linalg.norm(b)))
    check_grads(geometry.angle, (a, b), tolerance=1e-5)


def test_hadamard_product_of_the_slide():
    g, h = np.array([[3.0, 5.0, 7.0], [4.0, 9.0, 8.0]]), np.array([[1.0, 6.0, 3.0], [0.0, 2.0, 9.0]])
    close(geometry.hadamard(g, h), [[3, 30, 21], [0, 18, 72]])
    close(tm.tensor(g) * h, [[3, 30, 21], [0, 18, 72]])
    check_grads(geometry.hadamard, (g, h, g + h))
    with pytest.raises(tm.ShapeError, match="order"):
        geometry.hadamard(g, h[0])


def test_the_memory_of_an_lstm_cell_is_a_sum_of_hadamard_products():
    f, i, g, c = RNG.uniform(size=(4, 5))

    def memory(f, i, g, c):
        return geometry.hadamard(f, c) + geometry.hadamard(i, g)

    close(memory(f, i, g, c), f * c + i * g)
    close(tm.jacobian(memory, argnums=3)(f, i, g, c), np.diag(f))
    check_grads(memory, (f, i, g, c))


# -- projection --------------------------------------------------------------------------------------------


def test_scalar_projection_is_the_length_times_the_cosine():
    a, b = RNG.normal(size=(2, 3))
    want = np.linalg.norm(a) * np.cos(numbers(geometry.angle(a, b)))
    close(geometry.scalar_projection(a, b), want)
    close(geometry.scalar_projection([2.0, 2.0], [3.0, 0.0]), 2.0)
    check_grads(geometry.scalar_projection, (a, b))


def test_projection_of_2_2_is_2_0_and_the_rest_is_orthogonal():
    close(geometry.project([2.0, 2.0], [1.0, 0.0]), [2, 0])
    a, b = RNG.normal(size=(2, 3))
    close(geometry.reject(a, b) @ b, 0)
    close(geometry.project(a, b) + geometry.reject(a, b), a)
    check_grads(geometry.project, (a, b))
    check_grads(geometry.reject, (a, b))


def test_2_2_2_onto_the_plane_z_0_is_2_2_0():
    columns = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    p = geometry.projector(columns)
    close(p, np.diag([1, 1, 0]))
    close(p @ [2.0, 2.0, 2.0], [2, 2, 0])
    a = RNG.normal(size=(4, 2))
    p = numbers(geometry.projector(a))
    close(p @ p, p)
    close(p, p.T)
    check_grads(geometry.projector, (a,), tolerance=1e-5)


def test_a_neuron_responds_most_to_the_input_along_its_weights():
    w = np.array([0.5, -1.0, 2.0])
    x = geometry.unit([1.0, 1.0, 1.0])
    for _ in range(80):
        x = geometry.unit(x + 0.3 * tm.grad(lambda x: tm.dot(w, geometry.unit(x)))(x))
    close(x, w / np.linalg.norm(w), 1e-8)


def test_a_linear_layer_is_a_dot_product_a_row_and_a_sum_of_columns():
    w, x = np.array([[1.0, 0.0, 2.0], [0.0, 3.0, -1.0]]), np.array([1.0, 2.0, 3.0])
    y = tm.tensor(w) @ x
    close(y, [tm.dot(row, x).item() for row in w])
    close(geometry.column_view(w, x).result, y)
    layer = tm.nn.Linear(3, 2, bias=False)
    close(layer(x), numbers(layer.weight) @ x)


def test_two_linear_layers_trained_meet_the_least_squares_map():
    x = RNG.normal(size=(40, 3))
    target = x @ RNG.normal(size=(3, 2)) + 0.1 * RNG.normal(size=(40, 2))
    best = np.linalg.lstsq(x, target, rcond=None)[0]
    w = [0.5 * RNG.normal(size=(3, 4)), 0.5 * RNG.normal(size=(4, 2))]
    slope = tm.grad(lambda w: tm.mean((x @ w[0] @ w[1] - target) ** 2))
    for _ in range(1500):
        w = [a - 0.2 * g for a, g in zip(w, slope(w), strict=True)]
    close(w[0] @ w[1], best, 1e-6)


# -- unit vectors, hyperplanes, bodies ---------------------------------------------------------------------


def test_a_unit_vector_has_length_1_and_zero_has_none():
    a = RNG.normal(size=5)
    close(linalg.norm(geometry.unit(a)), 1)
    check_grads(geometry.unit, (a,))
    with pytest.raises(tm.ZeroVector):
        geometry.unit([0.0, 0.0])


def test_a_hyperplane_with_w0_zero_passes_through_the_origin():
    assert geometry.Hyperplane([3.0, 4.0]).side([0.0, 0.0]) == 0
    assert geometry.Hyperplane([3.0, 4.0], -5.0).side([0.0, 0.0]) == -1


def test_the_distance_of_a_hyperplane_is_signed_and_differentiable():
    w, w0, x = RNG.normal(size=4), 0.3, RNG.normal(size=4)
    close(geometry.Hyperplane(w, w0).distance(x), (w @ x + w0) / np.linalg.norm(w))
    check_grads(lambda w, w0, x: geometry.Hyperplane(w, w0).distance(x), (w, w0, x))
    check_grads(lambda w, w0, x: geometry.Hyperplane(w, w0).project(x), (w, w0, x), tolerance=1e-5)


@pytest.mark.parametrize("n", [2, 3, 7])
def test_a_point_is_inside_on_or_outside_a_hypersphere(n):
    p = np.zeros(n)
    p[0] = 5.0
    sphere = geometry.Hypersphere(5.0)
    assert [sphere.side(k * p).item() for k in (0.9, 1.0, 1.1)] == [-1, 0, 1]


@pytest.mark.parametrize(
    ("body", "inside", "on", "outside", "volume"),
    [
        (
            geometry.Hypersphere(2.0, [0.0, 0.0, 0.0]),
            [1.0, 1.0, 1.0],
            [0.0, 2.0, 0.0],
            [2.0, 1.0, 0.0],
            32 / 3 * math.pi,
        ),
        (geometry.Hyperellipsoid([3.0, 2.0]), [1.0, 1.0], [3.0, 0.0], [0.0, 2.5], 6 * math.pi),
        (geometry.Hypercube(2.0, [0.0] * 4), [0.5] * 4, [1.0, 0.0, 0.0, 0.0], [1.5, 0.0, 0.0, 0.0], 16.0),
        (geometry.Hyperrectangle([0.0, 0.0], [2.0, 3.0]), [1.0, 1.0], [2.0, 1.0], [-1.0, 1.0], 6.0),
    ],
    ids=lambda x: type(x).__name__,
)
def test_every_body_knows_its_sides_and_its_volume(body, inside, on, outside, volume):
    assert [body.side(p).item() for p in (inside, on, outside)] == [-1, 0, 1]
    close(body.volume, volume, 1e-12 * volume)


# -- matrices as maps --------------------------------------------------------------------------------------


def test_the_five_maps_of_the_slides():
    c, x, y = 0.7, 2.0, 3.0
    close(geometry.stretch([5.0, 5.0]) @ [1.0, 1.0], [5, 5])
    close(geometry.rotation(math.pi / 2), [[0, -1], [1, 0]])
    close(geometry.rotation(math.pi / 2) @ [1.0, 1.0], [-1, 1])
    close(geometry.reflection([1.0, -1.0]), [[0, 1], [1, 0]])
    close(geometry.reflection([1.0, -1.0]) @ [1.0, 0.0], [0, 1])
    close(geometry.projection([1.0, 0.0]), [[1, 0], [0, 0]])
    close(geometry.projection([1.0, 0.0]) @ [1.0, 1.0], [1, 0])
    close(geometry.shear(c) @ [x, y], [x + c * y, y])
    close(geometry.squeeze(2.0) @ [1.0, 1.0], [2, 0.5])


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("stretch", np.array([2.0, -3.0, 0.5])),
        ("rotation", 0.7),
        ("reflection", np.array([1.0, 2.0, -1.0])),
        ("projection", np.array([1.0, 2.0, -1.0])),
        ("shear", 0.7),
        ("squeeze", 1.7),
        ("rotation_x", 0.7),
        ("rotation_y", np.array([0.7, -1.0])),
        ("rotation_z", 0.7),
    ],
)
def test_every_map_is_differentiable_in_what_it_is_made_from(name, argument):
    check_grads(getattr(geometry, name), (argument,), tolerance=1e-5)


def test_rotations_of_space_have_the_signs_of_the_notes():
    c, s = math.cos(0.7), math.sin(0.7)
    close(geometry.rotation_x(0.7), [[1, 0, 0], [0, c, -s], [0, s, c]])
    close(geometry.rotation_y(0.7), [[c, 0, s], [0, 1, 0], [-s, 0, c]])
    close(geometry.rotation_z(0.7), [[c, -s, 0], [s, c, 0], [0, 0, 1]])
    for turn in (geometry.rotation_x, geometry.rotation_y, geometry.rotation_z):
        r = numbers(turn(0.7))
        close(r.T @ r, np.eye(3))
        close(linalg.det(r), 1)


def test_column_view_of_the_slide():
    view = geometry.column_view([[0, 3], [2, 1]], [2, 1])
    close(view.result, [3, 5])
    close(view.terms, [[0, 4], [3, 1]])
    assert repr(view) == "2 (0, 2) + 1 (3, 1) = (0, 4) + (3, 1) = (3, 5)"
    check_grads(lambda a, x: geometry.column_view(a, x).result, (RNG.normal(size=(3, 2)), RNG.normal(size=2)))


def test_1_1_is_an_eigenvector_with_eigenvalue_3():
    m = np.array([[0.0, 3.0], [2.0, 1.0]])
    close(m @ [1.0, 1.0], [3, 3])
    close(np.sort(numbers(linalg.eigvals(m)).real), [-2, 3])
    values, vectors = linalg.eig(m)
    close(m @ numbers(vectors), numbers(vectors) * numbers(values))
    v = numbers(vectors)[:, np.argmax(numbers(values).real)]
    close(v / v[0], [1, 1])
    slope = tm.grad(lambda m: tm.max(tm.real(linalg.eigvals(m))))(m)
    close(slope, [[0.4, 0.4], [0.6, 0.6]])  # u v' / u'v with the left eigenvector (2, 3) and the right one (1, 1)
    symmetric = m + m.T
    check_grads(linalg.eigvalsh, (symmetric,), tolerance=1e-5)
    values, vectors = linalg.eigh(symmetric)
    close(symmetric @ numbers(vectors), numbers(vectors) * numbers(values))


# -- subspaces, systems, bases -----------------------------------------------------------------------------


def test_the_plane_z_0_is_a_subspace_of_dimension_2_with_the_origin():
    plane = linalg.Subspace([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert plane.dim == 2
    assert plane.contains([0.0, 0.0, 0.0])
    assert plane.contains([3.0, -4.0, 0.0])
    assert not plane.contains([0.0, 0.0, 1.0])
    close(plane.project([2.0, 2.0, 2.0]), [2, 2, 0])


@pytest.mark.parametrize(("b", "kind"), [([1.0, 5.0, 4.0], "unique"), ([1.0, 0.0, 0.0], "none")])
def test_a_system_is_solvable_iff_b_lies_in_the_column_space(b, kind):
    a = np.array([[1.0, 0.0], [2.0, 3.0], [1.0, 3.0]])
    solution = linalg.solve_system(a, b)
    assert solution.kind == kind
    assert bool(linalg.Subspace(a).contains(b)) == (kind == "unique")
    close(solution.x, np.linalg.lstsq(a, b, rcond=None)[0])


def test_vectors_are_independent_iff_only_zero_coefficients_give_zero():
    assert linalg.is_independent([1, 2, 1], [0, 3, 3])
    assert not linalg.is_independent([1, 0], [2, 3], [1, 3])
    close(numbers(linalg.null_space(np.array([[1.0, 2.0, 1.0], [0.0, 3.0, 3.0]]))).shape, (3, 1))


def test_a_basis_is_independent_and_spans():
    assert linalg.is_basis([1, 1], [1, -1])
    assert not linalg.is_basis([1, 1, 0], [1, -1, 0])
    assert not linalg.is_basis([1, 0], [2, 3], [1, 3])
    close(linalg.basis([1, 0, 1], [2, 0, 2], [0, 1, 0]), [[1, 0], [0, 1], [1, 0]])


def test_change_of_basis_goes_there_and_back_and_the_standard_one_changes_nothing():
    v, basis = np.array([2.0, 2.0, 2.0]), linalg.Basis(RNG.normal(size=(3, 3)))
    close(linalg.Basis(np.eye(3)).coordinates(v), v)
    close(basis.vector(basis.coordinates(v)), v)
    other = linalg.Basis(RNG.normal(size=(3, 3)))
    close(basis.to(other) @ basis.coordinates(v), other.coordinates(v))
    check_grads(lambda m, v: linalg.Basis(m).coordinates(v), (numbers(basis.matrix), v), tolerance=1e-5)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_the_dft_is_a_change_of_basis(n):
    f, x = linalg.Basis.fourier(n), RNG.normal(size=n)
    m = numbers(f.matrix)
    close(m.conj().T @ m, np.eye(n))
    close(f.coordinates(x), np.fft.fft(x, norm="ortho"))
    close(f.coordinates(x), tm.fft.fft(x, norm="ortho"))


def test_the_rank_is_a_constant_for_derivatives():
    a = RNG.normal(size=(3, 3))
    close(tm.grad(lambda a: tm.sum(a) * linalg.matrix_rank(a))(a), np.full((3, 3), 3.0))


def test_row_rank_and_column_rank_of_the_slide_are_2():
    a = np.array([[1.0, 0.0], [2.0, 3.0], [1.0, 3.0]])
    close(a[1] - a[0], a[2])
    assert int(linalg.matrix_rank(a)) == int(linalg.matrix_rank(a.T)) == 2


@pytest.mark.parametrize(
    ("a", "dims"),
    [
        ([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], (2, 0, 2, 1)),
        ([[1.0, 0.0], [2.0, 3.0], [1.0, 3.0]], (2, 0, 2, 1)),
        ([[1.0, 2.0], [2.0, 4.0]], (1, 1, 1, 1)),
        ([[0.0, 0.0, 0.0]], (0, 3, 0, 1)),
    ],
)
def test_the_four_subspaces_have_dimensions_r_n_r_r_m_r(a, dims):
    four = linalg.fundamental_subspaces(a)
    assert (four.column.dim, four.null.dim, four.row.dim, four.left_null.dim) == dims
    m, n = np.shape(a)
    assert four.rank + four.nullity == n
    assert four.rank + four.left_null.dim == m


def test_the_inverse_has_its_laws():
    a, b = RNG.normal(size=(2, 3, 3))
    close(tm.tensor(a) @ linalg.inv(a), np.eye(3))
    close(linalg.inv(a @ b), numbers(linalg.inv(b)) @ numbers(linalg.inv(a)), 1e-10)
    close(linalg.inv(a.T), numbers(linalg.inv(a)).T)
    check_grads(linalg.inv, (a + 3 * np.eye(3),))
    with pytest.raises(tm.SingularMatrix):
        linalg.inv([[1.0, 2.0], [2.0, 4.0]])


def test_the_overdetermined_system_of_the_slide():
    a, b = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 3.0]]), np.ones(3)
    solution = linalg.solve_system(a, b)
    assert solution.kind == "none"
    close(solution.x, [3 / 7, 1 / 7])
    close(linalg.lstsq(a, b)[0], [3 / 7, 1 / 7])


def test_the_underdetermined_system_of_the_slide_has_a_shortest_solution():
    a, b = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 3.0]]), np.ones(2)
    solution = linalg.solve_system(a, b)
    assert solution.kind == "family"
    close(solution.x, np.array([4, -1, 5]) / 14)
    close(linalg.pinv(a) @ b, np.array([4, -1, 5]) / 14)
    assert solution.null_space.dim == 1
    close(a @ numbers(solution.null_space.basis), 0)


# -- the notes: matrix algebra, norms ----------------------------------------------------------------------


def test_transpose_mirrors_and_broadcasting_repeats_axes_of_size_1_only():
    a = RNG.normal(size=(2, 3))
    assert all(tm.tensor(a).T[j, i].item() == a[i, j] for i in range(2) for j in range(3))
    close(tm.tensor(a) + tm.tensor([[10.0, 20.0, 30.0]]), a + [10, 20, 30])
    close(tm.tensor(a) + 1.0, a + 1)
    with pytest.raises(tm.ShapeError):
        tm.tensor(a) + tm.tensor([1.0, 2.0])


def test_the_matrix_product_of_the_notes_does_not_commute():
    a, b = tm.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]), tm.tensor([[0.0, 2.0], [1.0, -1.0], [0.0, 1.0]])
    close(a @ b, [[2, 3], [2, 5]])
    close(b @ a, [[6, 4, 2], [-2, 0, 2], [3, 2, 1]])
    check_grads(tm.matmul, (numbers(a), numbers(b)))


def test_norms_of_vectors():
    x = np.array([3.0, -4.0])
    for order, want in ((1, 7), (2, 5), (3, 91 ** (1 / 3)), (np.inf, 4)):
        close(linalg.vector_norm(x, ord=order), want)
        close(linalg.norm(x, ord=order), want)
        check_grads(lambda x, order=order: linalg.vector_norm(x, ord=order), (x,))


def test_the_frobenius_norm_is_also_a_trace():
    a = RNG.normal(size=(3, 4))
    by_trace = tm.sqrt(linalg.trace(a @ tm.tensor(a).T))
    close(linalg.matrix_norm(a), math.sqrt((a**2).sum()))
    close(linalg.matrix_norm(a), by_trace)
    sigma = np.linalg.svd(a, compute_uv=False)
    close(linalg.matrix_norm(a, ord=2), sigma[0])
    close(linalg.matrix_norm(a, ord="nuc"), sigma.sum())
    for order in ("fro", 2, "nuc"):
        check_grads(lambda a, order=order: linalg.matrix_norm(a, ord=order), (a,), tolerance=1e-5)


# -- derivatives -------------------------------------------------------------------------------------------


def test_x_squared_has_derivative_2x_and_second_derivative_2():
    f = lambda x: x**2  # noqa: E731
    close(tm.grad(f)(3.0), 6)
    close(tm.grad(tm.grad(f))(3.0), 2)


def test_the_gradient_of_x1_squared_plus_x2_squared():
    f = lambda x: x[0] ** 2 + x[1] ** 2  # noqa: E731
    close(tm.grad(f)(np.array([1.0, 2.0])), [2, 4])
    close(tm.grad(lambda x1, x2: x1**2 + x2**2, argnums=1)(1.0, 2.0), 4)


def test_the_hessian_is_symmetric_and_the_jacobian_of_the_gradient():
    f = lambda x: tm.exp(x[0] * x[1]) + tm.sin(x[2]) * x[0] ** 2  # noqa: E731
    x, v = RNG.normal(size=(2, 3))
    h = numbers(tm.hessian(f)(x))
    close(h, h.T)
    close(h, tm.jacobian(tm.grad(f))(x))
    close(h @ v, tm.hvp(f, x, v))
    check_grads(f, (x,))


def test_product_rule():
    u, v, x = (lambda x: x**2), (lambda x: 3 * x), 2.0
    by_rule = tm.grad(u)(x) * v(x) + u(x) * tm.grad(v)(x)
    close(tm.grad(lambda x: u(x) * v(x))(x), by_rule)
    close(by_rule, 9 * x**2)


def test_quotient_rule():
    u, v, x = tm.sin, (lambda x: 3 * x), 2.0
    by_rule = (tm.grad(u)(x) * v(x) - u(x) * tm.grad(v)(x)) / v(x) ** 2
    close(tm.grad(lambda x: u(x) / v(x))(x), by_rule)
    close(by_rule, (math.cos(2) * 6 - math.sin(2) * 3) / 36)


def test_chain_rule_through_two_variables():
    u, v = 1.0, 2.0
    x, y = 2 * u + v, u / v
    zx, zy = y * math.exp(x * y), x * math.exp(x * y)
    gu, gv = tm.grad(lambda u, v: tm.exp((2 * u + v) * (u / v)), argnums=(0, 1))(u, v)
    close(gu, zx * 2 + zy / v)
    close(gv, zx * 1 - zy * u / v**2)


def test_the_total_derivative_is_a_sum_over_paths():
    qs, z = (tm.sin, tm.square, tm.exp), 0.7
    outer = lambda q1, q2, q3: q1 * q2 + q3**2  # noqa: E731
    slopes = tm.grad(outer, argnums=(0, 1, 2))(*(q(z) for q in qs))
    paths = [p * tm.grad(q)(z) for p, q in zip(slopes, qs, strict=True)]
    close(tm.grad(lambda z: outer(*(q(z) for q in qs)))(z), sum(paths))
    close(sum(paths), math.cos(z) * z**2 + math.sin(z) * 2 * z + 2 * math.exp(2 * z))
