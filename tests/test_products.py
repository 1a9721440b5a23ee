"""Products of arrays: against NumPy for every combination of ranks, against finite differences to second order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from cases import each

import tinygrad_math as tm
from tinygrad_math.testing import check_grads

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.standard_normal(shape)


def complex_normal(*shape):
    return normal(*shape) + 1j * normal(*shape)


def agree(f, *args, derivative=True):
    want, got = np.asarray(f(np, *args)), f(tm, *args)
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    np.testing.assert_allclose(tm.tensor(got).data, want, rtol=1e-12, atol=1e-13)
    if derivative:
        check_grads(lambda *xs: f(tm, *xs), args)


# -- matmul -------------------------------------------------------------------------------------------
LEFT = [(3,), (2, 3), (1, 3), (4, 2, 3), (1, 2, 3), (5, 4, 2, 3), (5, 1, 1, 3), (0, 3), (0, 2, 3)]
RIGHT = [(3,), (3, 2), (3, 1), (4, 3, 2), (1, 3, 2), (5, 1, 3, 2), (3, 0), (0, 3, 2)]


def _fits(a, b):
    try:
        np.zeros(a) @ np.zeros(b)
    except ValueError:
        return False
    return True


SHAPES = [(a, b) for a, b in itertools.product(LEFT, RIGHT) if _fits(a, b)]


@each(("a", "b"), SHAPES)
def test_matmul_of_every_pair_of_shapes(a, b):
    agree(lambda xp, x, y: xp.matmul(x, y), normal(*a), normal(*b))


@pytest.mark.parametrize("a, b", SHAPES[::3])
def test_matmul_of_complex_numbers_and_of_mixed_ones(a, b):
    for x, y in [(complex_normal, complex_normal), (complex_normal, normal), (normal, complex_normal)]:
        agree(lambda xp, x, y: xp.matmul(x, y), x(*a), y(*b))


def test_a_sum_over_no_terms_is_zero_and_so_is_its_gradient():
    agree(lambda xp, a, b: xp.matmul(a, b), np.zeros((2, 0)), np.zeros((0, 3)))


def test_one_weight_against_a_batch_is_one_product(monkeypatch):
    """The gradient of the weight is computed as one matrix product, never as a batch of them and a sum."""
    sizes = []
    x, w = tm.tensor(normal(6, 5, 3)), tm.tensor(normal(3, 2), requires_grad=True)
    y = (x @ w).sum()
    watched = tm.matmul.vjp
    monkeypatch.setattr(tm.matmul, "vjp", lambda *a, **k: [sizes.append(np.shape(g)) or g for g in watched(*a, **k)])
    y.backward()
    assert (3, 2) in sizes
    np.testing.assert_allclose(w.grad.numpy(), np.einsum("abi,abj->ij", x.numpy(), np.ones((6, 5, 2))))


def test_operators_multiply_arrays_and_tensors_from_both_sides():
    a, b = normal(2, 3), normal(3, 2)
    for y in (tm.tensor(a) @ b, a @ tm.tensor(b), tm.tensor(a).matmul(b), np.matmul(a, tm.tensor(b))):
        assert isinstance(y, tm.Tensor)
        np.testing.assert_array_equal(y.numpy(), a @ b)


@pytest.mark.parametrize(
    "f",
    [
        lambda: tm.matmul(tm.zeros((2, 3)), tm.zeros((2, 3))),
        lambda: tm.matmul(tm.zeros(3), tm.zeros(2)),
        lambda: tm.matmul(tm.zeros((2, 1, 3)), tm.zeros((3, 3, 1))),
        lambda: tm.matmul(tm.zeros(3), 2.0),
        lambda: tm.dot(tm.zeros((2, 3)), tm.zeros(2)),
        lambda: tm.dot(tm.zeros((2, 3)), tm.zeros((4, 2, 3))),
        lambda: tm.inner(tm.zeros(2), tm.zeros(3)),
        lambda: tm.vdot(tm.zeros(2), tm.zeros(3)),
        lambda: tm.vecdot(tm.zeros(2), tm.zeros(3)),
        lambda: tm.vecdot(tm.zeros(1), tm.zeros(3)),
        lambda: tm.tensordot(tm.zeros((2, 3)), tm.zeros((2, 3)), axes=1),
        lambda: tm.cross(tm.zeros(4), tm.zeros(4)),
        lambda: tm.cross(tm.zeros((2, 3)), tm.zeros((4, 3))),
        lambda: tm.einsum("ij,jk->ik", tm.zeros((2, 3)), tm.zeros((2, 3))),
        lambda: tm.einsum("ijk->i", tm.zeros((2, 3))),
        lambda: tm.einsum("i->i", tm.zeros((2, 3))),
        lambda: tm.einsum("ii", tm.zeros((2, 3))),
    ],
)
def test_shapes_that_do_not_go_together_are_named(f):
    with pytest.raises(tm.ShapeError, match=r"float64\("):
        f()


@pytest.mark.parametrize(
    "f",
    [
        lambda: tm.tensordot(tm.zeros(2), tm.zeros(2), axes=2),
        lambda: tm.tensordot(tm.zeros(2), tm.zeros(2), axes=((1,), (0,))),
        lambda: tm.tensordot(tm.zeros((2, 2)), tm.zeros((2, 2)), axes=((0, 0), (0, 1))),
        lambda: tm.vecdot(tm.zeros(2), tm.zeros(2), axis=1),
        lambda: tm.vecdot(1.0, tm.zeros(2)),
        lambda: tm.cross(tm.zeros(3), tm.zeros(3), axis=1),
    ],
)
def test_axes_that_are_not_there_are_named(f):
    with pytest.raises(tm.AxisError):
        f()


# -- dot, inner, outer, kron, tensordot ---------------------------------------------------------------
RANKS = [(), (3,), (2, 3), (2, 4, 3)]


@pytest.mark.parametrize("a, b", list(itertools.product(RANKS, [(), (3,), (3, 2), (2, 3, 4)])))
def test_dot_of_every_pair_of_ranks(a, b):
    agree(lambda xp, x, y: xp.dot(x, y), normal(*a), normal(*b))


@pytest.mark.parametrize("a, b", list(itertools.product(RANKS, RANKS)))
def test_inner_outer_and_kron_of_every_pair_of_ranks(a, b):
    x, y = normal(*a), normal(*b)
    agree(lambda xp, x, y: xp.inner(x, y), x, y)
    agree(lambda xp, x, y: xp.outer(x, y), x, y)
    agree(lambda xp, x, y: xp.kron(x, y), x, y)


TENSORDOTS = [
    ((2, 3, 4), (3, 4, 5), 2),
    ((2, 3), (3, 2), 1),
    ((2, 3), (4,), 0),
    ((), (3,), 0),
    ((2, 3, 4), (4, 5, 3), ((1, 2), (2, 0))),
    ((2, 3, 4), (4, 5, 3), ((-1, -2), (0, -1))),
    ((2, 3), (5, 3), (1, 1)),
    ((2, 0), (0, 3), 1),
    ((0, 2), (2, 3), 1),
    ((2, 3), (2, 3), ((), ())),
]


@pytest.mark.parametrize("a, b, axes", TENSORDOTS)
def test_tensordot(a, b, axes):
    agree(lambda xp, x, y: xp.tensordot(x, y, axes=axes), normal(*a), normal(*b))


def test_products_of_complex_numbers():
    a, b = complex_normal(2, 3), complex_normal(2, 3)
    agree(lambda xp, x, y: xp.vdot(x, y), a, b)
    agree(lambda xp, x, y: xp.vecdot(x, y), a, b)
    agree(lambda xp, x, y: xp.inner(x, y), a, b)
    agree(lambda xp, x, y: xp.kron(x, y), a, normal(2))
    agree(lambda xp, x, y: xp.tensordot(x, y), a, b)
    agree(lambda xp, x, y: xp.vdot(x, y), a, normal(2, 3))
    agree(lambda xp, x, y: xp.einsum("ij,ij->j", x, y), a, b)


@pytest.mark.parametrize(
    "a, b, axis", [((3,), (3,), -1), ((2, 3), (3,), -1), ((3, 2), (3, 1), 0), ((2, 3), (4, 1, 3), -1)]
)
def test_vecdot(a, b, axis):
    agree(lambda xp, x, y: xp.vecdot(x, y, axis=axis), normal(*a), normal(*b))


def test_products_of_integers_and_truth_values_keep_their_dtype():
    i, t = rng.integers(0, 5, (3, 3)).astype(np.int8), rng.integers(0, 2, (3, 3)).astype(bool)
    for x in (i, t):
        for f in (
            lambda xp, x: xp.matmul(x, x),
            lambda xp, x: xp.vecdot(x, x),
            lambda xp, x: xp.tensordot(x, x, axes=1),
            lambda xp, x: xp.outer(x, x),
            lambda xp, x: xp.einsum("ij,jk", x, x),
        ):
            agree(f, x, derivative=False)


def test_the_lectures_dot_product():
    assert tm.dot(tm.tensor([1.0, 7.0, 8.0]), [3.0, 4.0, 7.0]).item() == 87.0


# -- cross --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "a, b, options",
    [
        ((3,), (3,), {}),
        ((2, 3), (3,), {}),
        ((3, 2), (3, 2), {"axis": 0}),
        ((3, 2), (2, 3), {"axisa": 0, "axisc": 0}),
        ((4, 1, 3), (2, 3), {}),
        ((0, 3), (1, 3), {}),
        ((1, 3), (5, 1, 3), {}),
        ((2, 4, 3), (3,), {"axisc": 0}),
    ],
)
def test_cross_of_vectors_of_three(a, b, options):
    agree(lambda xp, x, y: xp.cross(x, y, **options), normal(*a), normal(*b))


def test_cross_is_numpys_to_the_last_bit():
    x, y = normal(7, 3) * 1e5, np.broadcast_to(normal(3), (7, 3))
    for a, b in ((x, y), (y, x), (x.astype(np.float32), y), (x[:, ::-1], x), (x.astype(int), x.astype(np.int8))):
        np.testing.assert_array_equal(tm.cross(a, b).numpy(), np.cross(a, b), strict=True)


def test_cross_of_vectors_of_two_lies_across_their_plane():
    a, b, c = normal(4, 2), normal(2), normal(4, 3)
    lifted = np.concatenate([a, np.zeros((4, 1))], -1)
    np.testing.assert_allclose(tm.cross(a, b).numpy(), np.cross(lifted, [*b, 0.0])[:, 2])
    np.testing.assert_allclose(tm.cross(a, c).numpy(), np.cross(lifted, c))
    check_grads(tm.cross, (a, b))
    check_grads(tm.cross, (a, c))
    check_grads(tm.cross, (complex_normal(3), complex_normal(2, 3)))


# -- einsum -------------------------------------------------------------------------------------------
EINSUMS = [
    ("ij->ji", (2, 3)),
    ("ij", (2, 3)),
    ("ba", (2, 3)),
    ("ij->", (2, 3)),
    ("ij->j", (2, 3)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iii->i", (2, 2, 2)),
    ("iji->j", (2, 3, 2)),
    ("iijj->ij", (2, 2, 3, 3)),
    ("...ii->...", (4, 2, 3, 3)),
    ("i...->...", (2, 3, 4)),
    ("...", (2, 3)),
    ("i,i", (3,), (3,)),
    ("i,j", (2,), (3,)),
    ("i,j->ji", (2,), (3,)),
    ("ij,jk", (2, 3), (3, 4)),
    (" ij , jk -> ik ", (2, 3), (3, 4)),
    ("ij,jk->", (2, 3), (3, 4)),
    ("ij,kj->ik", (2, 3), (4, 3)),
    ("bij,bjk->bik", (4, 2, 3), (4, 3, 2)),
    ("...ij,...jk->...ik", (4, 2, 3), (3, 2)),
    ("...ij,...jk", (5, 1, 2, 3), (4, 3, 2)),
    ("ij...,j...->i...", (2, 3, 4), (3, 1)),
    ("ij,j,jk->ik", (2, 3), (3,), (3, 2)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("i,ij,j->", (2,), (2, 3), (3,)),
    ("ii,ij->j", (2, 2), (2, 3)),
    ("ij,ik->i", (2, 3), (2, 4)),
    ("ij,ij->i", (2, 1), (2, 3)),
    ("ij,ij->ij", (1, 3), (2, 1)),
    (",ij->ij", (), (2, 3)),
    ("ij,jk->ik", (0, 3), (3, 2)),
    ("ij,jk->ik", (2, 0), (0, 2)),
    ("aBc,cB->aB", (2, 3, 4), (4, 3)),
]


@pytest.mark.parametrize("formula, shapes", [(f, s) for f, *s in EINSUMS], ids=[f"{f}{s}" for f, *s in EINSUMS])
def test_einsum_takes_every_formula_that_numpy_takes(formula, shapes):
    agree(lambda xp, *xs: xp.einsum(formula, *xs), *(normal(*s) for s in shapes))


@pytest.mark.parametrize("formula, shapes", [(f, s) for f, *s in EINSUMS[::4]])
def test_einsum_of_complex_arrays(formula, shapes):
    agree(lambda xp, *xs: xp.einsum(formula, *xs), *(complex_normal(*s) for s in shapes))


def test_einsum_takes_axes_as_lists():
    a, b = normal(2, 3), normal(3, 4)
    agree(lambda xp, a, b: xp.einsum(a, [0, 1], b, [1, 2], [0, 2]), a, b)
    agree(lambda xp, a, b: xp.einsum(a, [7, 30], b, [30, 2]), a, b)
    agree(lambda xp, a: xp.einsum(a, [Ellipsis, 1], [1, Ellipsis]), a)
    agree(lambda xp, a: xp.einsum(a, [0, 0]), normal(3, 3))


def test_einsum_of_large_arrays_goes_through_blas_and_stays_right():
    agree(lambda xp, a, b: xp.einsum("ij,jk->ik", a, b), normal(40, 30), normal(30, 20), derivative=False)
    a, b, g = normal(40, 30), normal(30, 20), normal(40, 20)
    ga, gb = tm.vjp(lambda a, b: tm.einsum("ij,jk->ik", a, b), a, b)[1](g)
    np.testing.assert_allclose(ga.numpy(), g @ b.T)
    np.testing.assert_allclose(gb.numpy(), a.T @ g)


@pytest.mark.parametrize(
    "formula, shapes",
    [
        ("ij,jk", [(2, 3)]),
        ("i", [(2,), (2,)]),
        ("i->j", [(2,)]),
        ("i->ii", [(2,)]),
        ("i?->i", [(2, 3)]),
        ("...i->i", [(2, 3)]),
        ("......->", [(2, 3)]),
    ],
)
def test_a_formula_that_means_nothing_is_named(formula, shapes):
    with pytest.raises(tm.ArgumentError, match="einsum"):
        tm.einsum(formula, *(tm.zeros(s) for s in shapes))


def test_numpys_functions_multiply_tensors():
    a, b = normal(3, 3), tm.tensor(normal(3, 3), requires_grad=True)
    for f in (np.dot, np.inner, np.outer, np.kron, np.tensordot, np.vdot, np.cross, np.vecdot):
        y = f(a, b)
        assert isinstance(y, tm.Tensor)
        assert y.requires_grad
        np.testing.assert_allclose(y.detach().numpy(), f(a, b.detach().numpy()))
    np.testing.assert_allclose(np.einsum("ij,jk", a, b).detach().numpy(), a @ b.detach().numpy())
