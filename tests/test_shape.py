"""Rearranging: every function against NumPy's own, and its derivatives against finite differences to second order."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.testing import check_grads

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.standard_normal(shape)


def arrays(y):
    return [np.asarray(tm.tensor(a).data) for a in y] if isinstance(y, (tuple, list)) else [tm.tensor(y).data]


def agree(f, *args, derivative=True):
    """f(np, ...) and f(tm, ...) are the same numbers, shapes and dtypes, and f(tm, ...) has its derivatives."""
    want, got = f(np, *args), f(tm, *args)
    want = list(want) if isinstance(want, (tuple, list)) else [want]
    for a, b in zip(arrays(got), want, strict=True):
        b = np.asarray(b)
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-14)
    if derivative:
        check_grads(lambda *xs: f(tm, *xs), args)


A = normal(2, 3)
B = normal(2, 3, 4)

REARRANGED = {
    "reshape": (lambda xp, x: xp.reshape(x, (3, 2)), A),
    "reshape to one axis": (lambda xp, x: xp.reshape(x, -1), A),
    "reshape in Fortran's order": (lambda xp, x: xp.reshape(x, (4, 6), order="F"), B),
    "reshape of nothing": (lambda xp, x: xp.reshape(x, (0, 5)), np.zeros((3, 0))),
    "reshape of a number": (lambda xp, x: xp.reshape(x, (1, 1)), np.array(2.0)),
    "ravel": (lambda xp, x: xp.ravel(x), B),
    "ravel in Fortran's order": (lambda xp, x: xp.ravel(x, order="F"), B),
    "squeeze": (lambda xp, x: xp.squeeze(x), normal(1, 3, 1)),
    "squeeze one axis": (lambda xp, x: xp.squeeze(x, axis=-1), normal(1, 3, 1)),
    "squeeze two axes": (lambda xp, x: xp.squeeze(x, axis=(0, -1)), normal(1, 3, 1)),
    "expand_dims": (lambda xp, x: xp.expand_dims(x, -1), A),
    "expand_dims twice": (lambda xp, x: xp.expand_dims(x, (0, 2)), A),
    "transpose": (lambda xp, x: xp.transpose(x), B),
    "transpose with negative axes": (lambda xp, x: xp.transpose(x, (-1, 0, 1)), B),
    "permute_dims": (lambda xp, x: xp.permute_dims(x, (1, 2, 0)), B),
    "matrix_transpose": (lambda xp, x: xp.matrix_transpose(x), B),
    "swapaxes": (lambda xp, x: xp.swapaxes(x, 0, -1), B),
    "moveaxis": (lambda xp, x: xp.moveaxis(x, 0, -1), B),
    "moveaxis of several": (lambda xp, x: xp.moveaxis(x, (0, 1), (-1, 0)), B),
    "rollaxis": (lambda xp, x: xp.rollaxis(x, 2), B),
    "rollaxis to the middle": (lambda xp, x: xp.rollaxis(x, 0, 2), B),
    "rollaxis to the end": (lambda xp, x: xp.rollaxis(x, -3, 3), B),
    "broadcast_to": (lambda xp, x: xp.broadcast_to(x, (4, 2, 3)), A),
    "broadcast_to of a column": (lambda xp, x: xp.broadcast_to(x, (2, 3)), normal(2, 1)),
    "broadcast_to nothing": (lambda xp, x: xp.broadcast_to(x, (0, 3)), normal(1, 3)),
    "atleast_1d": (lambda xp, x: xp.atleast_1d(x), np.array(1.5)),
    "atleast_2d": (lambda xp, x: xp.atleast_2d(x), normal(3)),
    "atleast_3d of a number": (lambda xp, x: xp.atleast_3d(x), np.array(1.5)),
    "atleast_3d of a vector": (lambda xp, x: xp.atleast_3d(x), normal(3)),
    "atleast_3d of a matrix": (lambda xp, x: xp.atleast_3d(x), A),
    "atleast_3d of more": (lambda xp, x: xp.atleast_3d(x), normal(1, 2, 1, 2)),
    "flip": (lambda xp, x: xp.flip(x), B),
    "flip two axes": (lambda xp, x: xp.flip(x, axis=(0, -1)), B),
    "fliplr": (lambda xp, x: xp.fliplr(x), A),
    "flipud": (lambda xp, x: xp.flipud(x), A),
    "roll": (lambda xp, x: xp.roll(x, 2), A),
    "roll further than it is long": (lambda xp, x: xp.roll(x, -7, axis=1), A),
    "roll two axes": (lambda xp, x: xp.roll(x, (1, -1), axis=(0, 1)), A),
    "roll one axis twice": (lambda xp, x: xp.roll(x, (1, 1), axis=(1, 1)), A),
    "rot90": (lambda xp, x: xp.rot90(x), A),
    "rot90 back": (lambda xp, x: xp.rot90(x, -1), A),
    "rot90 twice": (lambda xp, x: xp.rot90(x, 2), A),
    "rot90 fully": (lambda xp, x: xp.rot90(x, 4), A),
    "rot90 in a plane": (lambda xp, x: xp.rot90(x, 3, axes=(2, 0)), B),
    "repeat": (lambda xp, x: xp.repeat(x, 2), A),
    "repeat along": (lambda xp, x: xp.repeat(x, 3, axis=-1), A),
    "repeat not at all": (lambda xp, x: xp.repeat(x, 0, axis=0), A),
    "repeat each its own number of times": (lambda xp, x: xp.repeat(x, [2, 0, 1], axis=1), A),
    "repeat a number": (lambda xp, x: xp.repeat(x, 3), np.array(1.5)),
    "tile": (lambda xp, x: xp.tile(x, 2), A),
    "tile to more axes": (lambda xp, x: xp.tile(x, (2, 1, 3)), A),
    "tile fewer axes": (lambda xp, x: xp.tile(x, (2,)), B),
    "tile to nothing": (lambda xp, x: xp.tile(x, (0, 1)), A),
    "tile a number": (lambda xp, x: xp.tile(x, (2, 2)), np.array(1.5)),
    "tile a number not at all": (lambda xp, x: xp.tile(x, ()), np.array(1.5)),
    "tril": (lambda xp, x: xp.tril(x, -1), B),
    "triu": (lambda xp, x: xp.triu(x, k=1), B),
    "diagonal": (lambda xp, x: xp.diagonal(x), A),
    "diagonal of other axes": (lambda xp, x: xp.diagonal(x, 1, -1, 0), B),
    "diagonal beyond the matrix": (lambda xp, x: xp.diagonal(x, 7), A),
    "diag of a vector": (lambda xp, x: xp.diag(x, -1), normal(3)),
    "diag of a matrix": (lambda xp, x: xp.diag(x, k=1), A),
    "diag of nothing": (lambda xp, x: xp.diag(x), np.zeros(0)),
    "diagflat": (lambda xp, x: xp.diagflat(x, 1), A),
    "trace": (lambda xp, x: xp.trace(x), normal(3, 3)),
    "trace of others": (lambda xp, x: xp.trace(x, 1, 0, 2), B),
    "vander": (lambda xp, x: xp.vander(x), normal(3)),
    "vander increasing": (lambda xp, x: xp.vander(x, 4, increasing=True), np.array([0.0, -1.0, 2.0])),
    "vander of one column": (lambda xp, x: xp.vander(x, 1), normal(3)),
    "vander of no column": (lambda xp, x: xp.vander(x, 0), normal(3)),
    "split": (lambda xp, x: xp.split(x, 3, axis=1), A),
    "split at positions": (lambda xp, x: xp.split(x, [1, 1, 2], axis=-1), A),
    "split beyond the end": (lambda xp, x: xp.split(x, [1, 9]), normal(3)),
    "split at negative positions": (lambda xp, x: xp.split(x, [-2]), normal(3)),
    "split at falling positions": (lambda xp, x: xp.split(x, [2, 1]), normal(4)),
    "array_split": (lambda xp, x: xp.array_split(x, 3), normal(7, 2)),
    "array_split into more than there are": (lambda xp, x: xp.array_split(x, 4, axis=-1), A),
    "hsplit": (lambda xp, x: xp.hsplit(x, [1]), A),
    "hsplit of a vector": (lambda xp, x: xp.hsplit(x, 2), normal(4)),
    "vsplit": (lambda xp, x: xp.vsplit(x, 2), A),
    "dsplit": (lambda xp, x: xp.dsplit(x, 2), B),
    "unstack": (lambda xp, x: xp.unstack(x, axis=-1), A),
    "delete": (lambda xp, x: xp.delete(x, 1), A),
    "delete a slice": (lambda xp, x: xp.delete(x, slice(None, None, 2), axis=1), A),
    "delete several": (lambda xp, x: xp.delete(x, [0, -1], axis=-1), B),
    "delete by a mask": (lambda xp, x: xp.delete(x, [True, False, True], axis=1), A),
    "delete nothing": (lambda xp, x: xp.delete(x, [], axis=0), A),
    "apply_along_axis": (lambda xp, x: xp.apply_along_axis(lambda v: v[0] * v[1], 1, x), B),
    "apply_along_axis to arrays": (lambda xp, x: xp.apply_along_axis(lambda v: xp.outer(v, v), 0, x), A),
    "apply_along_axis with arguments": (lambda xp, x: xp.apply_along_axis(lambda v, c: c * v[::-1], -1, x, 2.0), A),
}


@pytest.mark.parametrize("name", REARRANGED)
def test_it_is_numpys_and_its_derivatives_are_right(name):
    agree(*REARRANGED[name])


JOINED = {
    "concat": (lambda xp, a, b: xp.concat([a, b], axis=1), A, normal(2, 1)),
    "concat of everything": (lambda xp, a, b: xp.concatenate([a, b], axis=None), A, normal(4)),
    "concat with nothing": (lambda xp, a, b: xp.concatenate([a, b, a]), A, np.zeros((0, 3))),
    "stack": (lambda xp, a, b: xp.stack([a, b, a], axis=-1), A, normal(2, 3)),
    "hstack": (lambda xp, a, b: xp.hstack([a, b]), normal(2), normal(3)),
    "hstack of matrices": (lambda xp, a, b: xp.hstack((a, b)), A, normal(2, 1)),
    "vstack": (lambda xp, a, b: xp.vstack([a, b]), normal(3), A),
    "dstack": (lambda xp, a, b: xp.dstack([a, b]), A, normal(2, 3)),
    "column_stack": (lambda xp, a, b: xp.column_stack([a, b]), normal(2), A),
    "block": (lambda xp, a, b: xp.block([[a, b], [b[:, :1], a]]), A, normal(2, 1)),
    "block of numbers and vectors": (lambda xp, a, b: xp.block([a, b, 2.0]), np.array(1.5), normal(3)),
    "block of higher rank": (lambda xp, a, b: xp.block([[a], [b]]), B, normal(2, 1, 4)),
    "append": (lambda xp, a, b: xp.append(a, b), A, normal(2)),
    "append along": (lambda xp, a, b: xp.append(a, b, axis=0), A, normal(1, 3)),
    "insert one": (lambda xp, a, b: xp.insert(a, 2, b), normal(4), np.array(0.5)),
    "insert at the end": (lambda xp, a, b: xp.insert(a, 4, b), normal(4), np.array(0.5)),
    "insert many at one place": (lambda xp, a, b: xp.insert(a, 1, b), normal(4), normal(3)),
    "insert at places": (lambda xp, a, b: xp.insert(a, [1, 3, -1], b), normal(4), normal(3)),
    "insert at one place twice": (lambda xp, a, b: xp.insert(a, [2, 2], b), normal(4), normal(2)),
    "insert a row": (lambda xp, a, b: xp.insert(a, 1, b, axis=0), A, normal(3)),
    "insert columns": (lambda xp, a, b: xp.insert(a, [0, 2], b, axis=1), A, normal(2, 1)),
    "insert a column at one place": (lambda xp, a, b: xp.insert(a, 1, b, axis=1), A, normal(2)),
    "insert at a slice": (lambda xp, a, b: xp.insert(a, slice(1, 3), b), normal(4), normal(2)),
    "insert at a mask": (lambda xp, a, b: xp.insert(a, np.array([True, False, True, False]), b), normal(4), normal(2)),
    "broadcast_arrays": (lambda xp, a, b: xp.broadcast_arrays(a, b), normal(2, 1), normal(3)),
    "meshgrid": (lambda xp, a, b: xp.meshgrid(a, b), normal(2), normal(3)),
    "meshgrid by index": (lambda xp, a, b: xp.meshgrid(a, b, indexing="ij"), normal(2), normal(3)),
    "meshgrid sparse": (lambda xp, a, b: xp.meshgrid(a, b, sparse=True), normal(2), normal(3)),
}


@pytest.mark.parametrize("name", JOINED)
def test_joining_is_numpys_and_its_derivatives_are_right(name):
    agree(*JOINED[name])


# -- pad ----------------------------------------------------------------------------------------------
WIDTHS = [2, (1, 3), ((0, 2), (3, 0)), ((7, 8), (9, 10)), {-1: (2, 1)}, 0]
MODES = [
    ("constant", {}),
    ("constant", {"constant_values": 1.5}),
    ("constant", {"constant_values": ((1.0, 2.0), (3.0, 4.0))}),
    ("edge", {}),
    ("wrap", {}),
    ("reflect", {}),
    ("symmetric", {}),
    ("reflect", {"reflect_type": "odd"}),
    ("symmetric", {"reflect_type": "odd"}),
    ("linear_ramp", {}),
    ("linear_ramp", {"end_values": (1.0, -2.0)}),
    ("maximum", {}),
    ("minimum", {"stat_length": 2}),
    ("mean", {}),
    ("mean", {"stat_length": ((1, 2), (3, 1))}),
    ("median", {"stat_length": (2, 3)}),
    ("median", {}),
]


@pytest.mark.parametrize("mode, options", MODES)
@pytest.mark.parametrize("shape", [(4, 3), (1, 3), (2, 1)])
def test_pad_is_numpys_in_every_mode(mode, options, shape):
    x = normal(*shape)
    for width in WIDTHS:
        want = np.pad(x, width, mode=mode, **options)
        np.testing.assert_allclose(tm.pad(x, width, mode=mode, **options).numpy(), want, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("mode, options", MODES)
def test_pad_has_its_derivatives_in_every_mode(mode, options):
    check_grads(lambda x: tm.pad(x, ((1, 4), (5, 2)), mode=mode, **options), (normal(3, 2),))


@pytest.mark.parametrize("mode, options", MODES)
def test_pad_of_integers_stays_integer(mode, options):
    x = np.arange(12).reshape(3, 4)
    if any(isinstance(v, float) for v in np.ravel(list(options.values()))):
        options = {k: np.asarray(v, int).tolist() for k, v in options.items()}
    y = tm.pad(x, 2, mode=mode, **options)
    assert y.dtype == x.dtype
    if mode not in ("median", "linear_ramp"):  # NumPy's own rounding there differs from mode to mode
        np.testing.assert_array_equal(y.numpy(), np.pad(x, 2, mode=mode, **options))


@pytest.mark.parametrize("mode, name", [("constant", "constant_values"), ("linear_ramp", "end_values")])
def test_pad_is_differentiable_in_its_values(mode, name):
    check_grads(lambda x, v: tm.pad(x, (2, 1), mode=mode, **{name: v}), (normal(3), np.array(0.7)))
    check_grads(lambda x, v, w: tm.pad(x, (2, 1), mode=mode, **{name: ((v, w),)}), (normal(3), 0.7, -0.2))
    x, v = normal(3), 0.7
    want = np.pad(x, (2, 1), mode=mode, **{name: v})
    np.testing.assert_allclose(tm.pad(x, (2, 1), mode=mode, **{name: tm.tensor(v)}).numpy(), want)


def test_pad_by_a_function_that_assigns():
    def mirror_the_sum(vector, widths, axis, options):
        vector[: widths[0]] = options["scale"] * vector[widths[0]]
        if widths[1]:
            vector[-widths[1] :] = vector[widths[0]] * vector[-widths[1] - 1] + axis

    x = normal(2, 3)
    want = np.pad(x, ((1, 2), (2, 0)), mirror_the_sum, scale=3.0)
    np.testing.assert_allclose(tm.pad(x, ((1, 2), (2, 0)), mirror_the_sum, scale=3.0).numpy(), want)
    check_grads(lambda x: tm.pad(x, ((1, 2), (2, 0)), mirror_the_sum, scale=3.0), (x,))


def test_pad_keeps_single_precision_and_complex_numbers():
    for x in (normal(3).astype(np.float32), (normal(3) + 1j * normal(3)).astype(np.complex64)):
        for mode, options in MODES:
            if x.dtype.kind == "c" and mode in ("maximum", "minimum", "median"):
                continue
            if np.ndim(list(options.values())) < 3:
                assert tm.pad(x, 2, mode=mode, **options).dtype == x.dtype


def test_pad_names_what_is_wrong():
    x = tm.zeros((2, 3))
    with pytest.raises(tm.ArgumentError, match="mode is one of"):
        tm.pad(x, 1, mode="mirror")
    with pytest.raises(tm.ArgumentError, match="takes constant_values"):
        tm.pad(x, 1, stat_length=2)
    with pytest.raises(tm.ShapeError, match="widths are 0 or more"):
        tm.pad(x, -1)
    with pytest.raises(tm.ShapeError, match="pair for each of the 2 axes"):
        tm.pad(x, ((1, 1), (1, 1), (1, 1)))
    with pytest.raises(tm.ShapeError, match="nothing to continue"):
        tm.pad(tm.zeros(0), 1, mode="edge")


# -- the tensor's own methods -------------------------------------------------------------------------
def test_methods_take_sizes_one_by_one_or_as_a_tuple():
    x = tm.tensor(normal(2, 3, 4))
    assert x.reshape(4, 6).shape == x.reshape((4, 6)).shape == x.reshape([4, -1]).shape == (4, 6)
    assert x.reshape(-1).shape == (24,)
    assert x.permute(2, 0, 1).shape == x.permute((2, 0, 1)).shape == (4, 2, 3)
    assert x.transpose(2, 0, 1).shape == x.transpose((2, 0, 1)).shape == (4, 2, 3)
    assert x.T.shape == (4, 3, 2)
    assert x.mT.shape == (2, 4, 3)
    assert x.flatten().shape == (24,)
    assert x.flatten(1).shape == (2, 12)
    assert x.unsqueeze(-1).shape == (2, 3, 4, 1)
    assert x.expand(5, -1, 3, 4).shape == (5, 2, 3, 4)
    np.testing.assert_array_equal(x.reshape(4, 6, order="F").numpy(), x.numpy().reshape(4, 6, order="F"))
    np.testing.assert_array_equal(x.reshape((4, 6), "F").numpy(), x.numpy().reshape((4, 6), order="F"))


def test_numpys_functions_rearrange_tensors():
    x = tm.tensor(normal(2, 3), requires_grad=True)
    for y in (np.reshape(x, (3, 2)), np.concatenate([x, x.data]), np.pad(x, 1), np.moveaxis(x, 0, 1), np.flip(x)):
        assert isinstance(y, tm.Tensor)
        assert y.requires_grad


def test_parts_of_a_split_that_are_not_used_count_as_zero():
    x = normal(6)
    g = tm.grad(lambda x: (tm.split(x, 3)[1] ** 2).sum())(x)
    np.testing.assert_allclose(g.numpy(), np.where(np.arange(6) // 2 == 1, 2 * x, 0))
    check_grads(lambda x: tm.split(x, 3)[1] ** 3, (x,))
    check_grads(lambda x: tm.split(x, [1, 4])[2] ** 3, (x,))
    check_grads(lambda x: tm.unstack(x)[4] ** 3, (x,))
    g = tm.grad(lambda x: tm.unstack(x)[4] ** 2)(x)
    np.testing.assert_allclose(g.numpy(), np.where(np.arange(6) == 4, 2 * x, 0))


def test_a_wrong_shape_is_named():
    x = tm.zeros((2, 3))
    for call, error, words in [
        (lambda: x.reshape(4, -1), tm.ShapeError, r"reshape\(float64\(2, 3\)"),
        (lambda: x.reshape(-1, -1), tm.ShapeError, "one unknown dimension"),
        (lambda: tm.zeros((0, 3)).reshape(0, -1), tm.ShapeError, "size 0"),
        (lambda: x.reshape(), tm.ArgumentError, "needs the new shape"),
        (lambda: x.squeeze(0), tm.ShapeError, "size not equal to one"),
        (lambda: tm.expand_dims(x, 5), tm.AxisError, "axis 5"),
        (lambda: tm.size(x, (0, -x.ndim)), tm.AxisError, "each axis once"),
        (lambda: tm.zeros((2, 3, 4)).transpose(0, 1), tm.ShapeError, "swapaxes"),
        (lambda: tm.moveaxis(x, 0, 2), tm.AxisError, "moveaxis: axis 2"),
        (lambda: tm.moveaxis(x, (0, 0), (0, 1)), tm.AxisError, "twice"),
        (lambda: tm.broadcast_to(x, (3, 2)), tm.ShapeError, "broadcast_to"),
        (lambda: tm.broadcast_arrays(x, tm.zeros(2)), tm.ShapeError, "broadcast_arrays"),
        (lambda: tm.concat([x, tm.zeros((3, 2))]), tm.ShapeError, r"float64\(2, 3\), float64\(3, 2\)"),
        (lambda: tm.concat([x], axis=2), tm.AxisError, "axis 2"),
        (lambda: tm.stack([x, tm.zeros(3)]), tm.ShapeError, "same shape"),
        (lambda: tm.split(x, 2, axis=1), tm.ShapeError, "equal division"),
        (lambda: tm.vsplit(tm.zeros(3), 1), tm.ShapeError, "2 or more dimensions"),
        (lambda: tm.block([[x], x]), tm.ShapeError, "different depths"),
        (lambda: tm.block([]), tm.ShapeError, "empty"),
        (lambda: tm.diag(tm.zeros((1, 1, 1))), tm.ShapeError, "diag takes"),
        (lambda: tm.tril(tm.tensor(1.0)), tm.ShapeError, "of a vector as each"),
        (lambda: tm.repeat(x, [1, 2], axis=1), tm.ShapeError, "2 repeats for the 3 positions"),
        (lambda: tm.repeat(x, -1), tm.DTypeError, "0 or more"),
        (lambda: tm.delete(x, 7, axis=0), tm.IndexOutOfBounds, "delete"),
        (lambda: tm.insert(x, 7, 0.0, axis=0), tm.IndexOutOfBounds, "insert"),
        (lambda: tm.insert(tm.arange(3), 0, 0.5), tm.DTypeError, "does not fit"),
        (lambda: tm.rot90(x, axes=(0, 0)), tm.AxisError, "two axes"),
        (lambda: tm.vander(x), tm.ShapeError, "vector"),
    ]:
        with pytest.raises(error, match=words):
            call()


def test_a_number_is_joined_to_an_array_with_a_gradient():
    x0 = np.array([1.0, 2.0, 3.0])
    for join in (lambda x: np.append(x, 1.0), lambda x: tm.concatenate([2.0, x, 1], axis=None)):
        f = lambda x: tm.sum(join(x) ** 3)  # noqa: E731
        for gradient in (tm.grad(f), tm.compile(tm.grad(f)), lambda x: tm.vmap(tm.grad(f))(x[None])[0]):
            np.testing.assert_allclose(gradient(x0), 3 * x0**2)
        np.testing.assert_allclose(tm.hessian(f)(x0), np.diag(6 * x0))


def test_a_triangle_of_a_vector_has_it_as_each_row():
    x0 = np.array([1.0, 2.0, 3.0])
    for theirs in (np.triu, np.tril):
        f = lambda x: theirs(x, 1)  # noqa: E731
        rows = tm.vmap(f)(np.stack([x0, -x0]))
        for got in (f(tm.tensor(x0)), tm.compile(f)(x0), rows[0], -rows[1]):
            np.testing.assert_array_equal(got.numpy(), f(x0))
        slope = tm.grad(lambda x: tm.sum(f(x) ** 2))
        for gradient in (slope, tm.compile(slope)):
            np.testing.assert_allclose(gradient(x0), 2 * (f(x0) ** 2).sum(axis=0) / x0)
    with pytest.raises(tm.ShapeError, match="of a vector as each"):
        np.triu(tm.tensor(1.0))


@pytest.mark.parametrize("values", [5, [5, 6], (0, 255), True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint64"])
def test_pythons_integers_are_put_into_arrays_of_any_integers_that_hold_them(values, dtype):
    x = np.arange(3, dtype=dtype)
    for way in (lambda f: f, tm.compile):
        got = way(lambda x: tm.insert(x, 1, values))(x)
        np.testing.assert_array_equal(got.numpy(), np.insert(x, 1, values), strict=True)


@pytest.mark.parametrize("values", [-1, [1, -1], 2**70, 1.5, np.int64(5)])
def test_what_such_an_array_does_not_hold_is_refused(values):
    with pytest.raises(tm.errors.DTypeError):
        tm.insert(np.arange(3, dtype="uint8"), 1, values)
