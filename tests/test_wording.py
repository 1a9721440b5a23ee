"""NumPy's and SciPy's own signatures: their names of arguments, their options, and each difference with its reason."""

import inspect

import numpy as np
import pytest
import scipy.linalg
import scipy.special
from cases import each

import tinygrad_math as tm
from tests.test_numpy_coverage import ARGUMENTS, CALLS, CONSTANTS, OPTIONS, _leaves
from tinygrad_math.core.tensor import rec
from tinygrad_math.ops.wording import HINTS, REASONS, parameters

ROOMS = {"": (np,), "linalg": (np.linalg, scipy.linalg), "fft": (np.fft,), "special": (scipy.special,)}

# What we do not have, function by function, beside what REASONS says of an option wherever it stands.
DIFFERENCES = {
    ("einsum", "kwargs"): "dtype, order and casting of operands, of which there may be any number",
    ("einsum", "out"): "operands of any number",
    ("clip", "kwargs"): "what ufuncs take, which it is called with",
    ("pad", "kwargs"): "they are called options",
    ("special.sph_harm_y", "kwargs"): "diff_n, for which there is grad",
}


def _peers():
    for room, modules in ROOMS.items():
        ours = getattr(tm, room) if room else tm
        for name in sorted(n for n in dir(ours) if not n.startswith("_")):
            own = getattr(ours, name)
            peer = next((getattr(m, name) for m in modules if hasattr(m, name)), None)
            if callable(own) and callable(peer) and not isinstance(own, type) and not isinstance(peer, type):
                yield f"{room}.{name}".lstrip("."), own, peer


PEERS = {name: (own, peer) for name, own, peer in _peers()}


def _understood(name, own, k, p, ours, theirs):
    """Whether a parameter of theirs is one of ours, under its own name or in its place, or is read by name alone."""
    mine = {o.name: o for o in ours}
    if p.kind in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL) or p.name in HINTS | {"out"}:
        return True
    if p.name in mine and mine[p.name].kind is not p.POSITIONAL_ONLY:
        return True
    masked = getattr(rec, f"masked_{name}", None) if hasattr(rec, f"masked_{name}") else None
    if masked is not None and p.name in inspect.signature(masked).parameters:
        return True
    if p.name == "order" or any(q.kind is q.VAR_POSITIONAL for q in (*ours, *theirs)):
        return p.name == "order"
    return k < len(ours) and ours[k].kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name not in REASONS


def test_every_option_of_numpys_and_scipys_is_ours_or_left_out_for_a_reason():
    assert len(PEERS) > 400
    unknown, told = [], set()
    for name, (own, peer) in PEERS.items():
        ours, theirs = parameters(own), parameters(peer)
        for k, p in enumerate(theirs or ()):
            if isinstance(peer, np.ufunc) and p.name in ("out", "where", "casting", "order", "dtype", "subok"):
                continue
            if not _understood(name, own, k, p, ours, theirs):
                told.add((name, p.name))
                if p.name not in REASONS and (name, p.name) not in DIFFERENCES:
                    unknown.append((name, p.name))
    assert unknown == []
    assert DIFFERENCES.keys() <= told | {("einsum", "out")}
    assert {p for _, p in told} - {p for _, p in DIFFERENCES} <= REASONS.keys()


CASES = [
    [part.strip() for part in case.split(":", 1)]
    for text in (CALLS, OPTIONS)
    for line in text.strip().splitlines()
    for case in line.split(" | ")
]


def _by_name(peer, text):
    """The arguments of a call, by NumPy's names where they have one."""
    args, kwargs = eval(f"bound({text})", {"bound": lambda *a, **k: (a, k), **CONSTANTS, **ARGUMENTS})
    try:
        bound = inspect.signature(peer).bind(*args, **kwargs)
    except ValueError:
        return args, kwargs
    kinds = {name: p.kind for name, p in bound.signature.parameters.items()}
    if any(kind is inspect.Parameter.VAR_POSITIONAL for kind in kinds.values()):
        return args, kwargs
    by_place = [v for n, v in bound.arguments.items() if kinds[n] is inspect.Parameter.POSITIONAL_ONLY]
    named = {n: v for n, v in bound.arguments.items() if kinds[n] is not inspect.Parameter.POSITIONAL_ONLY}
    for name in [n for n in named if kinds[n] is inspect.Parameter.VAR_KEYWORD]:
        named |= named.pop(name)
    return by_place, named


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")
def test_every_function_takes_its_arguments_by_numpys_names():
    tried = 0
    for name, text in CASES:
        if name in ("from_dlpack", "meshgrid", "i0") or name.startswith(("empty", "unique_")):
            continue
        own, peer = PEERS.get(name, (None, None))
        if own is None:
            continue
        args, kwargs = _by_name(peer, text.replace(".detach()", ""))
        tried += bool(kwargs)
        with np.errstate(all="ignore"):
            want, got = _leaves(peer(*args, **kwargs)), _leaves(own(*args, **kwargs))
        assert len(want) == len(got), name
        for (a, _), (b, _) in zip(got, want, strict=True):
            if a.dtype.kind in "biufc":
                np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-12, err_msg=f"{name}: {text}")
            else:
                assert a == b
    assert tried > 300


A = np.array([[0.5, -1.5, 2.5, 0.25], [1.0, np.inf, -0.5, 3.0], [2.0, 0.0, np.nan, -1.0]])
MASK = np.array([[True, False, True, True], [True, False, True, False], [False, True, False, True]])
FOLDS = [
    ("sum", {}), ("prod", {}), ("mean", {}), ("var", {"ddof": 1}), ("std", {}), ("all", {}), ("any", {}),
    ("max", {"initial": -9.0}), ("min", {"initial": 9.0}), ("sum", {"initial": 2.0}), ("prod", {"initial": 3.0}),
    ("var", {"mean": 0.5}), ("std", {"mean": 0.5, "correction": 1}), ("sum", {"dtype": np.float32}),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Mean of empty", "ignore:Degrees of freedom")
@pytest.mark.parametrize(("name", "options"), FOLDS)
@each("nan", ["", "nan"])
@each("where", [MASK, MASK[:, :1], True])
def test_reductions_of_some_elements_are_numpys_and_leave_the_others_without_derivative(nan, name, options, where):
    if nan and not hasattr(np, nan + name):
        pytest.skip("NumPy has none")
    f, peer = getattr(tm, nan + name), getattr(np, nan + name)
    given = dict(options) if where is True and options else {**options, "where": where}
    for x in (A, np.arange(12).reshape(3, 4), np.where(MASK, np.nan_to_num(A, posinf=7.0), np.inf)):
        for over in ({}, {"axis": 1}, {"axis": (0, 1), "keepdims": True}):
            with np.errstate(all="ignore"):
                got, want = f(x, **over, **given), peer(x, **over, **given)
            np.testing.assert_allclose(got.numpy(), want, rtol=1e-6 if "dtype" in options else 1e-12)
            assert got.dtype == np.asarray(want).dtype
    if name not in ("all", "any") and "dtype" not in options and where is MASK:
        x = np.nan_to_num(A, posinf=7.0)
        tm.testing.check_grads(lambda x: f(x, axis=1, **given), (x,), order=1 if name in ("max", "min") else 2)
        slope = tm.grad(lambda x: f(x, **given))(np.where(MASK, x, np.nan)).numpy()
        assert np.isfinite(slope[MASK]).all()
        assert not slope[~MASK].any()


def test_what_decides_which_elements_count_is_a_condition_of_their_shape():
    with pytest.raises(tm.ArgumentError, match="array of bools"):
        tm.sum(A, where=np.ones(4))
    with pytest.raises(tm.ShapeError, match="broadcasts to its shape"):
        tm.sum(A, where=np.ones((2, 3, 4), bool))
    with pytest.raises(tm.ArgumentError, match="give initial="):
        tm.max(A, where=MASK)
    np.testing.assert_array_equal(tm.compile(lambda x: tm.sum(x, where=x > 0))(A[:1]).numpy(), 3.25)


@pytest.mark.parametrize("name", ["quantile", "nanquantile", "percentile", "nanpercentile"])
def test_quantiles_with_weights_are_numpys(name):
    f, peer = getattr(tm, name), getattr(np, name)
    x, w, q = np.random.default_rng(0).normal(size=(4, 3)), np.array([1.0, 2.0, 0.5, 3.0]), np.array([0.25, 0.7])
    q = q * 100 if name.endswith("percentile") else q
    for weights, over in ((w, {"axis": 0}), (w[:, None] + x**2, {}), (w[:, None] + x**2, {"axis": 1})):
        given = {"weights": weights, "method": "inverted_cdf", **over}
        want = peer(x, q, **given if weights is not w else given | {"weights": np.broadcast_to(w[:, None], x.shape)})
        np.testing.assert_allclose(f(x, q, **given).numpy(), want)
        tm.testing.check_grads(lambda x, given=given: f(x, q, **given), (x,))
    tied = tm.grad(lambda x: f(x, q[0], weights=[1.0, 1.0, 1.0], method="inverted_cdf"))(np.array([2.0, 1.0, 1.0]))
    np.testing.assert_array_equal(tied.numpy(), [0.0, 0.5, 0.5])
    with pytest.raises(tm.ArgumentError, match="inverted_cdf"):
        f(x, q, weights=w, axis=0)


@pytest.mark.parametrize("name", ["pinv", "matrix_rank", "svd", "eigh", "eigvalsh"])
@pytest.mark.parametrize("uplo", ["L", "U"])
def test_one_triangle_of_an_unsymmetric_matrix_is_read_and_has_the_derivative(name, uplo):
    x = np.array([[2.0, 7.0, -1.0], [0.5, 3.0, 4.0], [0.25, -0.5, 1.0]])
    option = {"UPLO": uplo} if name.startswith("eig") else {"hermitian": True}
    uplo = uplo if name.startswith("eig") else "L"
    f, peer = getattr(tm.linalg, name), getattr(np.linalg, name)
    values = {"svd": lambda r: r[1], "eigh": lambda r: r[0]}.get(name, lambda r: r)
    np.testing.assert_allclose(values(f(x, **option)).numpy(), values(peer(x, **option)), rtol=1e-12)
    if name != "matrix_rank":
        tm.testing.check_grads(lambda x: values(f(x, **option)), (x,))
        unread = tm.grad(lambda x: values(f(x, **option)).sum() ** 2)(x).numpy()
        assert not unread[np.triu_indices(3, 1) if uplo == "L" else np.tril_indices(3, -1)].any()


def test_further_options_are_numpys():
    x, y = np.arange(6.0), np.sin(np.arange(6.0))
    for options in ({"full": True}, {"cov": True}, {"cov": "unscaled"}, {"rcond": 1e-3}, {"w": 1 + y**2, "cov": True}):
        for values in (y, np.stack([y, y**2], axis=1)):
            got, want = tm.polyfit(x, values, 2, **options), np.polyfit(x, values, 2, **options)
            for a, b in zip(_leaves(got), _leaves(want), strict=True):
                np.testing.assert_allclose(a[0], b[0], rtol=1e-9)
    for a, b in zip(tm.indices((2, 3), sparse=True), np.indices((2, 3), sparse=True), strict=True):
        np.testing.assert_array_equal(a.numpy(), b)
    s = np.array([[1.0, 2.0], [3.0, 4.0]])
    for options in ({"permute_l": True}, {"p_indices": True}):
        for a, b in zip(tm.linalg.lu(s, **options), scipy.linalg.lu(s, **options), strict=True):
            np.testing.assert_allclose(a.numpy(), b)
    joined = tm.stack((s, s), axis=1, dtype=np.float32, casting="same_kind")
    assert (joined.dtype, tm.hstack(tup=(s, s), dtype=np.float32).dtype) == (np.float32, np.float32)
    y = tm.zeros((2, 2))
    assert tm.add(s, s, out=y) is y
    np.testing.assert_array_equal(y.numpy(), 2 * s)
    assert tm.multiply(s, s, out=y, where=s > 2) is y
    np.testing.assert_array_equal(y.numpy(), [[2.0, 4.0], [9.0, 16.0]])


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda x: tm.add(x, x, dtype=np.float32), "astype"),
        (lambda x: tm.sin(x, where=x > 0), "where\\(condition"),
        (lambda x: tm.sort(x, order="age"), "no fields"),
        (lambda x: tm.zeros(3, like=x), "Tensor, whatever"),
        (lambda x: tm.matmul(x, x, axes=[(0, 1)] * 3), "moveaxis"),
        (lambda x: tm.linalg.sqrtm(x, disp=False), "not estimated"),
        (lambda x: tm.sum(x, wehre=x > 0), "no argument 'wehre'"),
        (lambda x: tm.pad(x, 1, mode="constant", values=3), "constant_values"),
        (lambda x: tm.mean(x, initial=0.0), "'initial'"),
    ],
)
def test_what_numpy_takes_and_we_do_not_is_refused_with_the_reason(call, reason):
    with pytest.raises(tm.ArgumentError, match=reason):
        call(np.eye(2))
