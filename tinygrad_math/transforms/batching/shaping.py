"""The rules of what rearranges, reduces and joins: axes move by one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.tensor import as_tensor, is_weak, rec
from .rules import RULES, Call, aligned, moved, one_by_one, rule, size_of

for _name in (
    "alias", "astype", "clip", "conj", "copy", "frexp", "imag", "integer_power", "isclose", "iscomplex", "isneginf",
    "isposinf", "isreal", "keep", "ldexp", "log_ratio", "modf", "nan_to_num", "polygamma", "power_log", "psi_rise",
    "quotient", "real", "relu", "root", "round", "signed_power", "abs_power", "sinc", "sinc_derivative",
    "stop_gradient", "tanh_slope", "weight_log", "where", "gamma_weight", "gammainc_da", "beta_weight", "betainc_dab",
    "stdtr_ddf", "student_density", "ive_slope", "erfcx_integral", "gammasgn", "gamma_sample", "poisson_log_factorial",
    "power_slope", "resting_product", "lattice_quantile", "sigmoid_slope", "jv_dv", "yv_dv", "iv_dv", "kv_dv", "ive_dv",
    "hyp2f1_slope", "hyp1f1_slope", "zeta_ds", "riemann_slope", "kolmogorov_slope", "fisher_density", "fdtr_dmn",
    "smirnov_slope", "softplus", "carlson", "exponential_moment", "kelvin_slope", "kve_slope",
    "agm_slope", "logarithm_moment", "voigt_slope", "log_quotient", "struve_slope",
    "log_gamma_above", "log_gamma_below", "log_beta_tail", "log_student_above", "binom_far", "required",
    "inverse_gamma_far",
):  # fmt: skip
    RULES[_name] = aligned


RULES["on_simplex"] = one_by_one  # which adds up along the first axis


@rule(
    "sum", "mean", "prod", "max", "min", "nanmax", "nanmin", "any", "all", "count_nonzero", "var", "std", "median",
    "nanmedian", "logsumexp", "softmax", "log_softmax", "soft_shares", "flip", "center", "lp_norm",
    "fft", "ifft", "rfft", "irfft", "fit_length", "scale_mirrored", "difference", "unwrap",
    "exclusive_product", "scale_of", "normalized", "inverse_deviation",
)  # fmt: skip
def _along(call: Call) -> Any:
    """One array, along some of its axes; None stands for all of them."""
    if not call.ranks[0] and call.params["axis"] is not None:  # a number has no axis, and some ops take -1 for it
        return one_by_one(call)
    return call.do(call.args[0], axis=moved(call.params["axis"], call.ranks[0]))


@rule("root_mean_square")
def _root_mean_square(call: Call) -> Any:
    """The squares and what they are of, along some axes of both."""
    return call.do(call.full(0), call.full(1), axis=moved(call.params["axis"], call.ranks[1]))


@rule(
    "argmax",
    "argmin",
    "nanargmax",
    "nanargmin",
    "cumsum",
    "cumprod",
    "sort",
    "argsort",
    "partition",
    "argpartition",
    "roll",
    "pivot",
)
def _flattened(call: Call) -> Any:
    """One array along one axis; None stands for the flattened array."""
    axis = call.params["axis"]
    if not call.ranks[0] and axis is not None:
        return one_by_one(call)
    if axis is not None:
        return call.do(call.args[0], axis=moved(axis, call.ranks[0]))
    flat = call.do(rec.reshape(call.args[0], (call.size, size_of(call.shapes[0]))), axis=1)
    return rec.reshape(flat, (call.size, *np.shape(call.like)))


@rule("scan", "take_along_axis", "cross3", "balanced", "from_winner")
def _pairwise(call: Call) -> Any:
    """Two arrays of one shape but for what broadcasts, along an axis of both."""
    rank = max(call.ranks)
    return call.do(call.raised(0, rank), call.raised(1, rank), axis=moved(call.params["axis"], rank))


@rule("split", "unstack", "expand_dims")
def _axis(call: Call) -> Any:
    args = [call.full(k) for k in range(len(call.args))]
    return call.do(*args, axis=moved(call.params["axis"], call.ranks[0]))


@rule("squeeze")
def _squeeze(call: Call) -> Any:
    axis = call.params["axis"]
    if axis is None:
        axis = tuple(k for k, n in enumerate(call.shapes[0]) if n == 1)
    return call.do(call.args[0], axis=moved(axis, call.ranks[0]))


@rule("unreduce")
def _unreduce(call: Call) -> Any:
    shape = tuple(call.params["shape"])
    return call.do(call.args[0], shape=(call.size, *shape), axis=moved(call.params["axis"], len(shape)))


@rule("reshape")
def _reshape(call: Call) -> Any:
    if call.params["order"] not in ("C", None):
        return one_by_one(call)
    return rec.reshape(call.args[0], (call.size, *np.shape(call.like)))


@rule("broadcast_to")
def _broadcast_to(call: Call) -> Any:
    shape = np.shape(call.like)
    return rec.broadcast_to(call.lifted(0, len(shape)), (call.size, *shape))


@rule("transpose")
def _transpose(call: Call) -> Any:
    rank, axes = call.ranks[0], call.params["axes"]
    order = range(rank)[::-1] if axes is None else [a % rank for a in axes]
    return call.do(call.args[0], axes=(0, *(a + 1 for a in order)))


@rule(
    "matrix_transpose",
    "tril",
    "triu",
    "band_transpose",
    "adjugate",
    "det",
    "slogdet",
    "inv",
    "cholesky",
    "expm",
    "lu",
    "nuclear_norm",
    "partial_isometry",
)
def _matrices(call: Call) -> Any:
    """A matrix in the last two axes, as many of them as there are before."""
    if call.ranks[0] < 2:
        return one_by_one(call)
    return call.do(call.args[0])


@rule("diagonal")
def _diagonal(call: Call) -> Any:
    rank, p = call.ranks[0], call.params
    return call.do(call.args[0], axis1=p["axis1"] % rank + 1, axis2=p["axis2"] % rank + 1)


@rule("diagonal_embed")
def _diagonal_embed(call: Call) -> Any:
    shape, p = tuple(call.params["shape"]), call.params
    rank = len(shape)
    return call.do(call.args[0], shape=(call.size, *shape), axis1=p["axis1"] % rank + 1, axis2=p["axis2"] % rank + 1)


@rule("zeros_like", "ones_like", "empty_like")
def _filled(call: Call) -> Any:
    shape = call.params["shape"]
    return call.do(call.args[0], shape=None if shape is None else (call.size, *np.shape(call.like)))


def _no_numbers(call: Call) -> None:
    """Python numbers in the dtype of the result: as arrays for a batch they would have one of their own."""
    for k, a in enumerate(call.args):
        if not call.moving[k] and is_weak(a):
            call.args[k] = rec.astype(as_tensor(a), np.result_type(call.like))


@rule("concat", "stack")
def _joined(call: Call) -> Any:
    _no_numbers(call)
    args = [call.full(k) for k in range(len(call.args))]
    if call.params["axis"] is not None:
        return call.do(*args, axis=moved(call.params["axis"], call.ranks[0]))
    rows = [rec.reshape(a, (call.size, size_of(s))) for a, s in zip(args, call.shapes, strict=True)]
    return call.do(*rows, axis=1)


@rule("quantile", "nanquantile")
def _quantile(call: Call) -> Any:
    """The quantiles of one array; where the levels differ between examples too, one by one."""
    if call.moving[1]:
        return one_by_one(call)
    y = call.do(call.args[0], call.args[1], axis=moved(call.params["axis"], call.ranks[0]))
    return rec.moveaxis(y, call.ranks[1], 0)  # the levels come first, and before them the batch


@rule("interpolate")
def _interpolate(call: Call) -> Any:
    """Steps from one array to another, which come first: before the batch."""
    rank = max(call.ranks)
    _no_numbers(call)
    return rec.moveaxis(call.do(call.raised(0, rank), call.raised(1, rank)), 0, 1)


@rule("scatter_along_axis")
def _scatter_along_axis(call: Call) -> Any:
    shape = tuple(call.params["shape"])
    if call.params["axis"] is None:
        return one_by_one(call)
    return call.do(call.full(0), call.full(1), shape=(call.size, *shape), axis=moved(call.params["axis"], len(shape)))
