"""Subspaces, bases, systems: laws on random matrices of every rank, derivatives through projectors, what is printed."""

import dataclasses

import numpy as np
import pytest
import scipy.linalg

import tinygrad_math as tm
from tinygrad_math.linalg import Basis, Subspace, basis, fundamental_subspaces, is_basis, is_independent, solve_system
from tinygrad_math.testing import check_grads

RNG = np.random.default_rng(5)


def numbers(x):
    return np.asarray(x.detach() if isinstance(x, tm.Tensor) else x)


def close(got, want, tolerance=1e-11):
    np.testing.assert_allclose(numbers(got), numbers(want), rtol=0, atol=tolerance)


def of_rank(m, n, r):
    return RNG.normal(size=(m, r)) @ RNG.normal(size=(r, n))


SHAPES = [(1, 1, 0), (1, 1, 1), (3, 2, 2), (2, 3, 2), (4, 4, 2), (5, 3, 1), (6, 6, 6), (4, 7, 3), (3, 4, 0)]


@pytest.mark.parametrize(("m", "n", "r"), SHAPES)
def test_the_four_subspaces_obey_the_fundamental_theorem(m, n, r):
    a = of_rank(m, n, r)
    four = fundamental_subspaces(a)
    assert (four.column.dim, four.null.dim, four.row.dim, four.left_null.dim) == (r, n - r, r, m - r)
    close(a @ numbers(four.null.basis), 0)
    close(numbers(four.left_null.basis).T @ a, 0)
    close(numbers(four.row.basis).T @ numbers(four.null.basis), 0)
    close(numbers(four.column.basis).T @ numbers(four.left_null.basis), 0)
    for s in (four.column, four.null, four.row, four.left_null):
        b, p = numbers(s.basis), numbers(s.projector)
        assert b.shape == (s.ambient, s.dim)
        close(b.T @ b, np.eye(s.dim))
        close(p, b @ b.T)
    close(four.column.projector, a @ np.linalg.pinv(a, rcond=1e-10))


@pytest.mark.parametrize(("m", "n", "r"), SHAPES)
def test_dimension_agrees_with_scipy_orth(m, n, r):
    a = of_rank(m, n, r)
    other = scipy.linalg.orth(a) if r else np.zeros((m, 0))
    s = Subspace(a)
    assert s.dim == other.shape[1]
    close(s.projector, other @ other.T)


def test_sum_and_intersection_obey_the_dimension_formula():
    for k, l in ((2, 2), (3, 3), (1, 4), (4, 4), (0, 2)):
        u, v = Subspace(of_rank(5, 6, k)), Subspace(of_rank(5, 6, l))
        join, meet = u + v, u & v
        assert join.dim + meet.dim == u.dim + v.dim
        assert join.dim == min(5, k + l)
        for b in numbers(meet.basis).T:
            assert u.contains(b)
            assert v.contains(b)


def test_the_intersection_of_two_planes_is_their_common_line():
    z0 = Subspace([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    x0 = Subspace([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert repr(z0 & x0) == "Subspace of R^3, dimension 1: span of (0, 1, 0)"
    assert (z0 + x0).dim == 3


def test_the_complement_of_the_complement_is_the_subspace():
    s = Subspace(of_rank(6, 4, 3))
    again = s.orthogonal_complement().orthogonal_complement()
    assert again.dim == 3
    close(again.projector, s.projector)


def test_contains_takes_batches_and_its_tolerance():
    line = Subspace([1.0, 1.0])
    assert line.contains([[1.0, 1.0], [1.0, 1.001], [0.0, 0.0]]).tolist() == [True, False, True]
    assert line.contains([1.0, 1.001], rtol=1e-2)


def test_projection_is_differentiable_in_the_columns_and_in_the_vector():
    a, v = RNG.normal(size=(4, 2)), RNG.normal(size=4)
    check_grads(lambda a, v: Subspace(a).project(v), (a, v), tolerance=1e-5)
    check_grads(lambda a, v: Subspace(a).orthogonal_complement().project(v), (a, v), tolerance=1e-5)


def test_the_projection_on_equal_singular_values_has_a_derivative():
    """The columns of the plane z = 0 have two equal singular values; the projector does not care."""
    a, v = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), np.array([1.0, 2.0, 3.0])
    check_grads(lambda a: Subspace(a).project(v), (a,), tolerance=1e-5)


def test_a_projection_does_not_depend_on_the_basis_of_the_span():
    a, v, mix = RNG.normal(size=(5, 3)), RNG.normal(size=5), RNG.normal(size=(3, 3))
    close(Subspace(a @ mix).project(v), Subspace(a).project(v))

    def seen(mix):
        return tm.sum(Subspace(tm.matmul(a, mix)).project(v) ** 2)

    close(tm.grad(seen)(mix), np.zeros((3, 3)))


def test_the_null_space_of_a_wide_matrix_moves_with_it():
    a, v = RNG.normal(size=(2, 4)), RNG.normal(size=4)
    check_grads(lambda a: fundamental_subspaces(a).null.project(v), (a,), tolerance=1e-5)


def test_a_subspace_is_a_tree_of_its_columns_and_immutable():
    s = Subspace(RNG.normal(size=(3, 2)))
    g = tm.grad(lambda s: tm.sum(s.project([1.0, 2.0, 3.0]) ** 2))(s)
    assert isinstance(g, Subspace)
    assert g.columns.shape == (3, 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        s.columns = None


def test_the_gram_schmidt_basis_keeps_the_first_direction():
    b = numbers(Subspace([[2.0, 1.0], [0.0, 3.0], [0.0, 0.0]]).basis)
    close(b, [[1, 0], [0, 1], [0, 0]])


def test_what_is_printed_can_be_read():
    assert repr(Subspace([[1.0, 1.0], [0.0, 2.0], [0.0, 0.0]])) == (
        "Subspace of R^3, dimension 2: span of (1, 0, 0), (0, 1, 0)"
    )
    assert repr(Subspace([0.0, 0.0])) == "Subspace of R^2, dimension 0: the origin alone"
    assert "rank 2 + nullity 0 = 2" in repr(fundamental_subspaces([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]))


def test_bad_input_is_named():
    with pytest.raises(tm.ShapeError, match="R\\^3"):
        Subspace(np.eye(3)).project([1.0, 2.0])
    with pytest.raises(tm.ShapeError, match="R\\^3 and one of R\\^2"):
        Subspace(np.eye(3)) + Subspace(np.eye(2))
    with pytest.raises(tm.ShapeError, match="matrix"):
        Subspace(np.ones((2, 2, 2)))
    with pytest.raises(tm.MatrixError, match=r"nan at \(0, 0\)"):
        Subspace([[np.nan, 1.0], [1.0, 2.0]])


def test_complex_subspaces_are_orthogonal_in_the_complex_sense():
    a = of_rank(4, 5, 2) + 1j * of_rank(4, 5, 1)
    four = fundamental_subspaces(a)
    assert (four.column.dim, four.null.dim, four.row.dim, four.left_null.dim) == (3, 2, 3, 1)
    close(a @ numbers(four.null.basis), 0)
    close(numbers(four.left_null.basis).conj().T @ a, 0)
    close(four.column.projector, a @ np.linalg.pinv(a, rcond=1e-10))
    v = RNG.normal(size=4) + 1j * RNG.normal(size=4)
    close(four.column.project(v), numbers(four.column.projector) @ v)
    assert repr(Subspace(np.array([1j, 0.0]))).startswith("Subspace of C^2, dimension 1")
    b = a[:, :3]
    check_grads(lambda b, v: Subspace(b).project(v), (b, v), tolerance=1e-5)
    assert solve_system(a, a @ np.ones(5)).kind == "family"


def test_empty_matrices_span_the_origin():
    assert Subspace(np.zeros((3, 0))).dim == 0
    assert Subspace(np.zeros((3, 0))).orthogonal_complement().dim == 3
    assert fundamental_subspaces(np.zeros((0, 2))).nullity == 2
    assert is_independent(np.zeros((3, 0)))


def test_a_nearly_dependent_column_does_not_spoil_the_projection():
    v, w = np.array([1.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])
    s = Subspace(np.column_stack([v, v + 1e-13 * w, w]))
    assert s.dim == 2
    close(s.projector, [[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0, 1]], 1e-15)


def test_fifty_dimensions_are_as_right_as_two():
    a = of_rank(50, 40, 30)
    four = fundamental_subspaces(a)
    assert (four.column.dim, four.null.dim, four.row.dim, four.left_null.dim) == (30, 10, 30, 20)
    close(a @ numbers(four.null.basis), 0, 1e-10)
    close(numbers(four.column.project(a.T)), a.T, 1e-10)


# -- independence and bases ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("m", "n", "r"), SHAPES)
def test_independence_is_full_column_rank(m, n, r):
    a = of_rank(m, n, r)
    assert is_independent(a) == (r == n)
    assert is_basis(a) == (r == m == n)
    chosen = numbers(basis(a))
    assert chosen.shape == (m, r)
    assert all(any(np.array_equal(c, column) for column in a.T) for c in chosen.T)


def test_a_basis_takes_the_first_independent_vectors():
    close(basis([1.0, 0.0], [2.0, 0.0], [1.0, 3.0]), [[1, 1], [0, 3]])
    g = tm.grad(lambda a: tm.sum(basis(a) ** 2))(np.array([[1.0, 2.0, 1.0], [0.0, 0.0, 3.0]]))
    close(g, [[2, 0, 2], [0, 0, 6]])


def test_a_basis_leaves_out_what_is_nothing_beside_the_rest():
    close(basis([0.0, 1e-20], [1.0, 0.0]), [[1], [0]])
    close(basis([1e-20, 0.0], [2e-20, 0.0]), [[1e-20], [0]], 0)


def test_nearly_dependent_vectors_are_judged_by_the_tolerance():
    a = np.array([[1.0, 1.0], [0.0, 1e-9]])
    assert is_independent(a)
    assert not is_independent(a, rtol=1e-6)


def test_vectors_of_different_lengths_are_refused():
    with pytest.raises(tm.ShapeError, match="one length"):
        is_independent([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(tm.ShapeError, match="one length"):
        is_independent()


def test_coordinates_and_vectors_take_batches():
    b, v = Basis(RNG.normal(size=(3, 3))), RNG.normal(size=(4, 5, 3))
    c = b.coordinates(v)
    assert c.shape == v.shape
    close(b.vector(c), v)
    close(c[1, 2], b.coordinates(v[1, 2]))


def test_an_orthonormal_basis_keeps_lengths_and_its_coordinates_are_projections():
    q = np.linalg.qr(RNG.normal(size=(4, 4)))[0]
    v = RNG.normal(size=4)
    close(Basis(q).coordinates(v), q.T @ v)
    close(np.linalg.norm(numbers(Basis(q).coordinates(v))), np.linalg.norm(v))


def test_going_through_a_third_basis_is_the_product():
    a, b, c = (Basis(RNG.normal(size=(3, 3))) for _ in range(3))
    close(numbers(b.to(c)) @ numbers(a.to(b)), a.to(c), 1e-9)
    close(a.to(a), np.eye(3))
    check_grads(lambda a, b: a.to(b), (a, b), tolerance=1e-5)


def test_dependent_or_too_few_columns_are_no_basis():
    with pytest.raises(tm.SingularMatrix, match="depend"):
        Basis([[1.0, 2.0], [2.0, 4.0]])
    with pytest.raises(tm.ShapeError, match="Subspace"):
        Basis([[1.0], [2.0]])
    with pytest.raises(tm.ShapeError, match="2 dimensions"):
        Basis(np.eye(2)).coordinates([1.0, 2.0, 3.0])
    with pytest.raises(tm.ShapeError, match="2 and 3"):
        Basis(np.eye(2)).to(Basis(np.eye(3)))


def test_the_gradient_through_the_fourier_basis_is_that_of_the_fft():
    f, x = Basis.fourier(6), RNG.normal(size=6)
    weights = RNG.uniform(size=6)
    energy = lambda transform: lambda x: tm.sum(weights * tm.abs(transform(x)) ** 2)  # noqa: E731
    close(
        tm.grad(energy(f.coordinates))(x),
        tm.grad(energy(lambda x: tm.fft.fft(x, norm="ortho")))(x),
    )
    check_grads(energy(f.coordinates), (x,), tolerance=1e-5)


# -- systems ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("m", "n", "r"), [s for s in SHAPES if s[2]])
def test_a_solvable_system_is_solved_by_the_shortest_x(m, n, r):
    a = of_rank(m, n, r)
    b = a @ RNG.normal(size=n)
    solution = solve_system(a, b)
    assert solution.kind == ("unique" if r == n else "family")
    close(a @ numbers(solution.x), b, 1e-9)
    close(solution.null_space.project(solution.x), 0, 1e-9)
    assert solution.null_space.dim == n - r


@pytest.mark.parametrize(("m", "n", "r"), [s for s in SHAPES if s[2] < s[0]])
def test_an_unsolvable_system_gets_the_least_squares_answer(m, n, r):
    a, b = of_rank(m, n, r), RNG.normal(size=m)
    solution = solve_system(a, b)
    assert solution.kind == "none"
    close(a.T @ numbers(solution.residual), 0, 1e-9)
    assert "no combination" in repr(solution)


def test_the_solution_is_differentiable_in_a_and_b():
    for m, n in ((3, 3), (5, 3), (3, 5)):
        check_grads(lambda a, b: solve_system(a, b).x, (RNG.normal(size=(m, n)), RNG.normal(size=m)), tolerance=1e-5)


def test_below_full_rank_the_solution_has_a_derivative_only_if_the_rank_is_said_to_stay():
    a, b = np.array([[1.0, 2.0], [2.0, 4.0]]), np.array([1.0, 2.0])
    with pytest.raises(tm.IllPosedDerivative, match="singular values"):
        tm.grad(lambda a: tm.sum(solve_system(a, b).x))(a)
    # along a = t a0 the solution is x0 / t
    change = tm.jvp(lambda t: solve_system(t * a, b, rtol=1e-10).x, (1.0,), (1.0,))[1]
    close(change, -numbers(solve_system(a, b).x))


def test_the_solution_says_why():
    text = repr(solve_system([[1.0, 0.0, 2.0], [0.0, 1.0, 3.0]], [1.0, 1.0]))
    assert text.startswith("a family of solutions")
    assert "null space has dimension 1 = 3 - rank 2" in text
    assert "one solution, x = (1, 0.5)" in repr(solve_system([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]))


def test_shapes_that_do_not_meet_are_refused():
    with pytest.raises(tm.ShapeError, match="meets a vector"):
        solve_system(np.eye(3), np.ones(2))
