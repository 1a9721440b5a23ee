"""Geometry where naive formulas fail: nearly parallel, tiny, huge, zero; objects as trees; what they print."""

import dataclasses
import math

import mpmath
import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math import geometry
from tinygrad_math.geometry import Hypercube, Hyperellipsoid, Hyperplane, Hyperrectangle, Hypersphere
from tinygrad_math.testing import check_grads

RNG = np.random.default_rng(11)


def numbers(x):
    return np.asarray(x.detach() if isinstance(x, tm.Tensor) else x)


def close(got, want, tolerance=1e-12):
    np.testing.assert_allclose(numbers(got), numbers(want), rtol=0, atol=tolerance)


def exact_angle(a, b):
    with mpmath.workdps(60):
        u, v = mpmath.matrix(a.tolist()), mpmath.matrix(b.tolist())
        u, v = u / mpmath.norm(u), v / mpmath.norm(v)
        return 2 * mpmath.atan2(mpmath.norm(u - v), mpmath.norm(u + v))


def exact_angle_slope(a, b):
    """d angle / da = (u cos - v)/(|a| sin), in 60 digits."""
    with mpmath.workdps(60):
        length = mpmath.norm(mpmath.matrix(a.tolist()))
        u = mpmath.matrix(a.tolist()) / length
        v = mpmath.matrix(b.tolist())
        v = v / mpmath.norm(v)
        cosine = sum(u[k] * v[k] for k in range(len(a)))
        sine = mpmath.sqrt(1 - cosine**2)
        return np.array([float((u[k] * cosine - v[k]) / (length * sine)) for k in range(len(a))])


# -- angle -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tiny", [1e-1, 1e-5, 1e-9, 1e-12, 1e-15])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_angle_of_nearly_parallel_vectors_is_right_to_rounding(tiny, sign):
    a = RNG.normal(size=5)
    b = sign * (a + tiny * RNG.normal(size=5))
    want = exact_angle(a, b)
    assert abs(geometry.angle(a, b).item() - float(want)) <= 4e-15 * float(want)


@pytest.mark.parametrize("tiny", [1e-2, 1e-7, 1e-11])
@pytest.mark.parametrize("factor", [1.0, 4.0, -1.0])
def test_the_angle_has_the_right_derivative_for_nearly_parallel_vectors(tiny, factor):
    a = RNG.normal(size=4)
    b = factor * (a + tiny * RNG.normal(size=4))
    want = exact_angle_slope(a, b)
    close(tm.grad(geometry.angle)(a, b), want, 1e-12 * np.abs(want).max())


def test_the_angle_does_not_depend_on_scale_and_neither_overflows_nor_underflows():
    a, b = RNG.normal(size=(2, 3))
    want = geometry.angle(a, b).item()
    for s, t in ((1e-300, 1e300), (1e-160, 1e-160), (1e200, 1e200), (3.0, 1e-3)):
        close(geometry.angle(s * a, t * b), want, 1e-14)
    close(tm.grad(geometry.angle)(a, b) @ a, 0)


def test_equal_vectors_have_angle_0_with_gradient_0_and_opposite_ones_pi():
    a = np.array([1.0, 2.0, -3.0])
    close(geometry.angle(a, a), 0, 0)
    close(tm.grad(geometry.angle)(a, a), [0, 0, 0], 0)
    close(geometry.angle(a, -a), math.pi)


def test_the_angle_works_on_batches_and_broadcasts():
    a, b = RNG.normal(size=(4, 3)), RNG.normal(size=3)
    angles = geometry.angle(a, b)
    assert angles.shape == (4,)
    close(angles, [geometry.angle(row, b).item() for row in a])


def test_the_zero_vector_has_no_angle_no_unit_and_nothing_projects_on_it():
    zero, a = np.zeros(3), np.ones(3)
    for f in (
        lambda: geometry.angle(a, zero),
        lambda: geometry.unit(zero),
        lambda: geometry.unit([a, zero]),
        lambda: geometry.project(a, zero),
        lambda: geometry.scalar_projection(a, zero),
        lambda: geometry.projection(zero),
        lambda: geometry.reflection(zero),
    ):
        with pytest.raises(tm.ZeroVector, match="no direction"):
            f()
    assert issubclass(tm.ZeroVector, ValueError)


# -- distance, unit, projection -----------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 1.5, 2, 3, np.inf])
def test_distance_has_gradient_0_where_the_points_coincide(order):
    p = np.array([1.0, -2.0])
    assert geometry.distance(p, p, ord=order).item() == 0
    close(tm.grad(lambda p, q: geometry.distance(p, q, ord=order))(p, p), [0, 0], 0)


@pytest.mark.parametrize("order", [1, 1.5, 2, 3, np.inf])
def test_distance_is_differentiable_in_every_norm(order):
    p, q = RNG.normal(size=(2, 4))
    close(geometry.distance(p, q, ord=order), np.linalg.norm(p - q, order))
    check_grads(lambda p, q: geometry.distance(p, q, ord=order), (p, q), tolerance=1e-5)


def test_distance_of_two_numbers_is_that_on_a_line():
    close(geometry.distance(-3.0), 3)
    close(tm.grad(geometry.distance)(4.0, 7.0), -1)


def test_unit_does_not_overflow_or_underflow():
    for scale in (1e-200, 1.0, 1e200, 5e-324):
        u = geometry.unit(scale * np.array([3.0, 4.0]))
        close(geometry.distance(u), 1, 1e-15 if scale > 1e-300 else 1e-12)


def test_single_precision_stays():
    a, b = RNG.normal(size=(2, 3)).astype(np.float32)
    for f in (geometry.angle, geometry.project, geometry.reject, geometry.scalar_projection, geometry.distance):
        assert f(a, b).dtype == np.float32, f
    assert geometry.unit(a).dtype == np.float32
    assert geometry.rotation(np.float32(0.3)).dtype == np.float32
    assert Hypersphere(2.0).level(a).dtype == np.float32


def test_integers_become_floats_and_complex_vectors_are_refused():
    assert geometry.unit([3, 4]).tolist() == [0.6, 0.8]
    with pytest.raises(tm.DTypeError, match="real vectors"):
        geometry.angle(np.array([1j, 1.0]), np.array([1.0, 1.0]))


def test_shapes_that_do_not_meet_are_named():
    with pytest.raises(tm.ShapeError, match="2 and 3 components"):
        geometry.angle([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(tm.ShapeError, match="vector"):
        geometry.row(np.ones((2, 2)))
    with pytest.raises(tm.ShapeError, match="number"):
        geometry.unit(3.0)
    with pytest.raises(tm.ShapeError, match="order"):
        geometry.hadamard(np.ones(3), 2.0)
    with pytest.raises(tm.ArgumentError):
        geometry.hadamard()


def test_the_projector_of_dependent_columns_is_that_of_their_span():
    a = RNG.normal(size=(4, 2))
    dependent = np.column_stack([a, a @ [1.0, 2.0]])
    close(geometry.projector(dependent), geometry.projector(a), 1e-12)
    close(geometry.projector(np.array([3.0, 4.0])), np.array([[9, 12], [12, 16]]) / 25)


def test_a_third_derivative_of_the_angle_is_right():
    a, b = np.array([1.0, 0.0]), np.array([0.3, 0.8])

    def turned(t):  # the angle between a and b turned by t + t³: its third derivative in t is 6
        return geometry.angle(a, geometry.rotation(t + t**3) @ b)

    third = tm.grad(tm.grad(tm.grad(turned)))
    close(third(0.0), 6.0, 1e-9)


def test_projection_and_rejection_obey_pythagoras():
    a, b = RNG.normal(size=(2, 100, 4)) * 10.0 ** RNG.uniform(-3, 3, size=(2, 100, 1))
    p, r = numbers(geometry.project(a, b)), numbers(geometry.reject(a, b))
    np.testing.assert_allclose((p**2).sum(-1) + (r**2).sum(-1), (a**2).sum(-1), rtol=1e-12)
    assert np.all(numbers(geometry.is_orthogonal(r, b, rtol=1e-9)))
    close(
        geometry.project(p, b) / np.linalg.norm(p, axis=-1, keepdims=True),
        p / np.linalg.norm(p, axis=-1, keepdims=True),
    )


def test_angles_obey_the_triangle_inequality_and_add_up_to_pi_with_the_opposite():
    a, b, c = RNG.normal(size=(3, 100, 3))
    ab, bc, ac = numbers(geometry.angle(a, b)), numbers(geometry.angle(b, c)), numbers(geometry.angle(a, c))
    assert np.all(ac <= ab + bc + 1e-14)
    close(ab + numbers(geometry.angle(a, -b)), np.full(100, math.pi), 1e-14)


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (geometry.angle, (RNG.normal(size=3), RNG.normal(size=3))),
        (geometry.project, (RNG.normal(size=3), RNG.normal(size=3))),
        (tm.grad(geometry.angle), (RNG.normal(size=3), RNG.normal(size=3))),
        (lambda w, x: Hyperplane(w, 1.0).distance(x), (RNG.normal(size=3), RNG.normal(size=(5, 3)))),
        (lambda c, x: Hypersphere(2.0, c).side(x), (RNG.normal(size=3), RNG.normal(size=(5, 3)))),
        (lambda h, x: h.project(x), (Hyperplane([1.0, 2.0], 3.0), RNG.normal(size=2))),
        (geometry.rotation_y, (np.array(0.7),)),
        (geometry.reflection, (RNG.normal(size=3),)),
        (lambda v: tm.linalg.Subspace(np.eye(3)[:, :2]).project(v), (RNG.normal(size=3),)),
    ],
)
def test_geometry_compiles(f, args):
    compiled = tm.compile(f)
    for _ in range(2):
        close(compiled(*args), f(*args))


# -- hyperplanes --------------------------------------------------------------------------------------------


def test_a_hyperplane_prints_its_equation():
    assert repr(Hyperplane([3.0, 4.0], -5.0)) == "Hyperplane(3 x1 + 4 x2 - 5 = 0)"
    assert repr(Hyperplane([-1.0, 0.5])) == "Hyperplane(-x1 + 0.5 x2 = 0)"
    assert "..." in repr(Hyperplane(np.ones(50), 1.0))


def test_a_hyperplane_is_a_tree_of_its_parameters_and_immutable():
    h = Hyperplane([3.0, 4.0], -5.0)
    g = tm.grad(lambda h: h.distance([3.0, 4.0]))(h)
    assert isinstance(g, Hyperplane)
    close(g.w0, 0.2)
    close(g.w, np.array([3.0, 4.0]) / 5 - 4 * np.array([3.0, 4.0]) / 25)
    with pytest.raises(dataclasses.FrozenInstanceError):
        h.w0 = 1.0


def test_backward_reaches_the_parameters_that_an_object_was_made_from():
    w, w0 = tm.tensor([3.0, 4.0], requires_grad=True), tm.tensor(-5.0, requires_grad=True)
    Hyperplane(w, w0).distance([3.0, 4.0]).backward()
    close(w0.grad, 0.2)
    close(w.grad, np.array([3.0, 4.0]) / 5 - 4 * np.array([3.0, 4.0]) / 25)
    r, c = tm.tensor(2.0, requires_grad=True), tm.tensor(1.0, requires_grad=True)
    (Hypersphere(r, [0.0, 0.0]).volume + Hyperellipsoid([c, 3.0 * c]).volume).backward()
    close(r.grad, 4 * math.pi)
    close(c.grad, 6 * math.pi)


def test_what_happens_to_the_arrays_outside_does_not_change_an_object():
    w, columns = np.array([1.0, 2.0]), tm.tensor([[1.0], [0.0]])
    plane, line = Hyperplane(w), tm.linalg.Subspace(columns)
    w[0] = 100.0
    columns[0, 0] = 0.0
    close(plane.w, [1, 2])
    close(line.project([3.0, 4.0]), [3, 0])


def test_a_gradient_may_be_zero_where_a_normal_may_not():
    g = tm.grad(lambda h: h.w0 * 2.0)(Hyperplane([3.0, 4.0], -5.0))
    close(g.w, [0, 0])
    with pytest.raises(tm.ZeroVector):
        Hyperplane([0.0, 0.0], 1.0)


def test_projections_lie_on_the_hyperplane():
    h = Hyperplane(RNG.normal(size=5), 0.7)
    x = RNG.normal(size=(10, 5))
    feet = h.project(x)
    assert h.side(feet).tolist() == [0] * 10
    close(geometry.distance(feet, x), np.abs(numbers(h.distance(x))))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6])
def test_the_hyperplane_through_points_holds_them_all(n):
    points = RNG.normal(size=(n, n))
    h = Hyperplane.through(points)
    assert h.side(points).tolist() == [0] * n
    check_grads(lambda p: (Hyperplane.through(p).w, Hyperplane.through(p).w0), (points,), tolerance=1e-5)


def test_the_plane_through_three_points_has_their_cross_product_as_normal():
    p, q, r = RNG.normal(size=(3, 3))
    close(Hyperplane.through([p, q, r]).w, np.cross(q - p, r - p))


def test_points_on_many_hyperplanes_are_refused():
    with pytest.raises(tm.ZeroVector, match="many hyperplanes"):
        Hyperplane.through([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]])
    with pytest.raises(tm.ShapeError, match="n points"):
        Hyperplane.through([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])


def test_a_hyperplane_is_fitted_by_gradient_descent_through_its_parameters():
    truth = Hyperplane([1.0, -2.0], 0.5)
    points = RNG.normal(size=(100, 2))
    labels = numbers(truth.side(points))
    h = Hyperplane([1.0, 1.0], 0.0)
    for _ in range(300):
        g = tm.grad(lambda h: tm.mean(tm.log1p(tm.exp(-labels * h.level(points)))))(h)
        h = Hyperplane(h.w - 2.0 * g.w, h.w0 - 2.0 * g.w0)
    assert np.mean(numbers(h.side(points)) == labels) >= 0.98


# -- bodies -------------------------------------------------------------------------------------------------

BODIES = [
    (Hypersphere(1.5, [0.5, -1.0, 0.2]), 3),
    (Hyperellipsoid([1.0, 2.0, 0.5], [0.1, 0.2, 0.3]), 3),
    (Hypercube(1.5, [0.5, -1.0]), 2),
    (Hyperrectangle([-1.0, 0.0], [0.5, 2.0]), 2),
]


@pytest.mark.parametrize(("body", "n"), BODIES, ids=lambda b: type(b).__name__)
def test_level_and_volume_are_differentiable_in_point_and_parameters(body, n):
    x = RNG.normal(size=(4, n))
    check_grads(lambda body, x: body.level(x), (body, x), order=1, tolerance=1e-5)
    check_grads(lambda body: body.volume, (body,), tolerance=1e-5)


@pytest.mark.parametrize(("body", "n"), BODIES, ids=lambda b: type(b).__name__)
def test_the_volume_is_the_share_of_random_points_inside(body, n):
    x = RNG.uniform(-3, 3, (200_000, n))
    share = np.mean(numbers(body.side(x)) < 0) * 6**n
    assert abs(share - body.volume.item()) < 0.05 * body.volume.item()


def test_points_computed_on_a_surface_are_on_it():
    u = RNG.normal(size=(500, 3))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    assert np.all(numbers(Hypersphere(3.0, [1e3, 0.0, 0.0]).side(3.0 * u + [1e3, 0.0, 0.0])) == 0)
    assert np.all(numbers(Hyperellipsoid([1.0, 2.0, 3.0]).side(u * [1.0, 2.0, 3.0])) == 0)
    assert np.all(numbers(Hypersphere(3.0).side(3.001 * u)) == 1)


def test_a_sphere_is_fitted_through_its_parameters():
    t = RNG.uniform(0, 2 * np.pi, 60)
    points = [1.0, -2.0] + 3.0 * np.stack([np.cos(t), np.sin(t)], axis=1)
    s = Hypersphere(1.0, [0.0, 0.0])
    for _ in range(400):
        g = tm.grad(lambda s: tm.mean(s.level(points) ** 2))(s)
        s = Hypersphere(s.radius - 0.3 * g.radius, s.center - 0.3 * g.center)
    close(s.radius, 3, 1e-6)
    close(s.center, [1, -2], 1e-6)


def test_bodies_print_their_parameters_and_refuse_nonsense():
    assert repr(Hypersphere(2.0, [1.0, 0.0])) == "Hypersphere(radius=2, center=(1, 0))"
    assert repr(Hyperrectangle([0.0], [2.5])) == "Hyperrectangle(low=(0,), high=(2.5,))"
    with pytest.raises(tm.ArgumentError, match="negative"):
        Hypersphere(-1.0)
    with pytest.raises(tm.ArgumentError, match="above"):
        Hyperrectangle([1.0, 0.0], [0.0, 1.0])
    with pytest.raises(tm.ArgumentError, match="dimension"):
        _ = Hypersphere(1.0).volume
    with pytest.raises(tm.ShapeError, match="R\\^2"):
        Hyperellipsoid([1.0, 2.0]).side([1.0, 2.0, 3.0])
    with pytest.raises(tm.ShapeError):
        Hyperrectangle([0.0, 0.0], [1.0, 1.0, 1.0])


def test_volumes_of_unit_balls_follow_the_recursion():
    ball = lambda n: Hypersphere(1.0, np.zeros(n)).volume.item()  # noqa: E731
    for n in range(3, 30):
        assert ball(n) == pytest.approx(2 * math.pi / n * ball(n - 2), rel=1e-13)
    assert ball(2000) == 0.0 or ball(2000) < 1e-300


# -- maps ---------------------------------------------------------------------------------------------------


def test_determinants_of_maps_are_what_they_do_to_areas():
    for matrix, area in (
        (geometry.stretch([2.0, 3.0]), 6),
        (geometry.rotation(0.7), 1),
        (geometry.reflection([1.0, 2.0]), -1),
        (geometry.projection([1.0, 2.0]), 0),
        (geometry.shear(3.0), 1),
        (geometry.squeeze(3.0), 1),
    ):
        close(np.linalg.det(numbers(matrix)), area)


def test_the_derivative_of_a_rotation_is_the_rotation_a_quarter_turn_on():
    close(tm.jacobian(geometry.rotation)(0.3), geometry.rotation(0.3 + math.pi / 2))


def test_rotations_take_batches_of_angles():
    angles = RNG.normal(size=(2, 5))
    for turn, n in (
        (geometry.rotation, 2),
        (geometry.rotation_x, 3),
        (geometry.rotation_y, 3),
        (geometry.rotation_z, 3),
    ):
        r = numbers(turn(angles))
        assert r.shape == (2, 5, n, n)
        close(r @ np.swapaxes(r, -1, -2), np.broadcast_to(np.eye(n), r.shape))


def test_an_angle_is_learned_from_what_it_does():
    points = RNG.normal(size=(20, 2))
    turned = points @ numbers(geometry.rotation(1.2)).T
    theta = 0.0
    for _ in range(100):
        theta = theta - 0.3 * tm.grad(lambda t: tm.mean((points @ geometry.rotation(t).mT - turned) ** 2))(theta)
    close(theta, 1.2, 1e-8)


def test_squeeze_by_zero_and_stretch_by_a_number_are_refused():
    with pytest.raises(tm.ArgumentError, match="infinite"):
        geometry.squeeze(0.0)
    with pytest.raises(tm.ShapeError, match="one factor an axis"):
        geometry.stretch(5.0)
    with pytest.raises(tm.ShapeError, match="column_view"):
        geometry.column_view(np.ones((2, 3)), np.ones(2))


def test_column_view_is_also_an_array():
    view = geometry.column_view([[0, 3], [2, 1]], [1, -1])
    assert np.asarray(view).tolist() == [-3.0, 1.0]
    assert repr(view) == "1 (0, 2) + (-1) (3, 1) = (0, 2) + (-3, -1) = (-3, 1)"
