"""NumPy's public functions against ours: a call of each that we have, the reason of each that we have not."""

import inspect
import re

import numpy as np
import pytest
from cases import each

import tinygrad_math as tm
from tinygrad_math.core.samples import complexes, positive, real

# One call for each function, as a user of NumPy writes it: name: arguments.
CALLS = """
abs: v | absolute: z | acos: u | acosh: 1 + p | add: A, v | all: m | allclose: v, v | amax: A, axis=0 | amin: A, 1
angle: z | any: m | append: v, w | apply_along_axis: lambda r: r * r.sum(), 1, A | arange: 3 | arccos: u
arccosh: 1 + p | arcsin: u | arcsinh: v | arctan: v | arctan2: v, w | arctanh: u | argmax: A, axis=1 | argmin: A
argpartition: v, 1 | argsort: A, axis=-1 | argwhere: m | around: v, 1 | array: [1.0, 2.0] | array_equal: v, v
array_equiv: v, v | array_split: v, 2 | asanyarray: v | asarray: v | asin: u | asinh: v | astype: v, np.complex128
atan: v | atan2: v, w | atanh: u | atleast_1d: v | atleast_2d: v | atleast_3d: v | average: v, weights=p
bincount: n, weights=v | bitwise_and: n, 1 | bitwise_count: n | bitwise_invert: n | bitwise_left_shift: n, 1
bitwise_not: n | bitwise_or: n, 1 | bitwise_right_shift: n, 1 | bitwise_xor: n, 1 | block: [[A, A], [A, A]]
broadcast_arrays: A, v | broadcast_shapes: (2, 1), (3,) | broadcast_to: v, (2, 3) | can_cast: np.float32, np.float64
cbrt: p | ceil: v | choose: n, A[:, :1] * np.ones(3), mode="clip" | clip: v, -1, 1 | column_stack: (v, w)
compress: m, v | concat: (v, w) | concatenate: (A, A), axis=1 | conj: z | conjugate: z | convolve: v, w, "same"
copy: v | copysign: v, w | corrcoef: A, B | correlate: v, w, "full" | cos: v | cosh: v | count_nonzero: A, axis=0
cov: A, ddof=0 | cross: v, w | cumprod: v | cumsum: A, axis=1 | cumulative_prod: v
cumulative_sum: v, include_initial=True | deg2rad: v | degrees: v | delete: v, 1 | diag: v, 1 | diagflat: v
diagonal: S, 1 | diff: v, n=2 | digitize: v, edges | divide: v, p | divmod: v, p | dot: A, v
dsplit: A[:, :, None] * np.ones(2), 2 | dstack: (v, w) | ediff1d: v | einsum: "ij,j->i", A, v | empty: (0, 2)
empty_like: v | equal: v, w | exp: v | exp2: v | expand_dims: v, axis=(0, 2) | expm1: v | extract: m, v | eye: 3
fabs: v | fix: v | flatnonzero: v | flip: A, axis=1 | fliplr: A | flipud: A | float_power: p, v | floor: v
floor_divide: v, p | fmax: v, w | fmin: v, w | fmod: v, p | frexp: v | from_dlpack: v.detach()
fromfunction: lambda i, j: i - j, (2, 3) | full: (2,), 3.0 | full_like: v, 2.0 | gcd: n, 4 | geomspace: 1.0, 8.0, 4
gradient: v, 0.5 | greater: v, w | greater_equal: v, w | heaviside: v, 0.5 | histogram: v, bins=edges
histogram_bin_edges: v, 3
hsplit: A, 3 | hstack: (v, w) | hypot: v, w | i0: v | identity: 3 | imag: z | indices: (2, 3)
inner: A, v | insert: v, 1, 2.0 | interp: u, edges, p | invert: n | isclose: v, w | iscomplex: z | iscomplexobj: z
isdtype: np.float32, 'real floating' | isfinite: v | isin: n, [0, 1] | isinf: v | isnan: v | isneginf: v | isposinf: v
isreal: z | isrealobj: v | kron: v, w | lcm: n, 4 | ldexp: v, n | left_shift: n, 1 | less: v, w | less_equal: v, w
lexsort: (v, w) | linspace: 0.0, 1.0, 5 | log: p | log10: p | log1p: p | log2: p | logaddexp: v, w | logaddexp2: v, w
logical_and: m, m | logical_not: m | logical_or: m, m | logical_xor: m, m | logspace: 0.0, 1.0, 5 | matmul: A, v
matrix_transpose: A | matvec: A, v | max: A, axis=0, keepdims=True | maximum: v, w | mean: A, axis=(0, 1)
median: A, axis=1 | meshgrid: v, w, indexing="ij" | min: A, axis=0 | minimum: v, w | mod: v, p | modf: v
moveaxis: A, 0, 1 | multiply: A, v | nan_to_num: v, nan=1.0 | nanargmax: v | nanargmin: v | nancumprod: v
nancumsum: v | nanmax: A, axis=0 | nanmean: A, axis=1 | nanmedian: v | nanmin: A | nanpercentile: v, 30 | nanprod: v
nanquantile: v, 0.3 | nanstd: A, ddof=1 | nansum: A, axis=0 | nanvar: A, axis=1 | ndim: A | negative: v
nextafter: v, w | nonzero: m | not_equal: v, w | ones: (2, 3) | ones_like: v | outer: v, w | pad: A, 1, mode="reflect"
partition: v, 1 | percentile: v, 30, axis=0 | permute_dims: A, (1, 0) | piecewise: v, [v < 0], [lambda x: -x, 1.0]
poly: v | polyadd: v, w[:2] | polyder: v | polydiv: v, w[:2] | polyfit: v, w, 1 | polyint: v, 2 | polymul: v, w
polysub: v[1:], w | polyval: v, A | positive: v | pow: p, v | power: p, v | prod: A, axis=0
promote_types: np.float32, np.float64 | ptp: A, axis=1 | quantile: v, [0.2, 0.7] | rad2deg: v | radians: v | ravel: A
real: z | real_if_close: z | reciprocal: p | remainder: v, p | repeat: A, 2, axis=1 | reshape: A, (3, 2)
result_type: v, np.float32 | right_shift: n, 1 | rint: v | roll: A, 1, axis=0 | rollaxis: A, 1 | roots: v
rot90: A, 3 | round: v, 0 | searchsorted: edges, u, side="right" | select: [v < 0, v > 1], [v, w], 0.5 | shape: A
sign: v | signbit: v | sin: v | sinc: v | sinh: v | size: A, axis=1
sort: A, axis=0 | spacing: v | split: v, 3 | sqrt: p | square: v
squeeze: A[None], axis=0 | stack: (v, w), axis=1 | std: A, axis=0, ddof=1 | subtract: A, v
sum: A, axis=-1, keepdims=True | swapaxes: A, 0, 1 | take: A, [0, 2, 0], axis=1 | take_along_axis: v, n, 0 | tan: u
tanh: v | tensordot: A, A, axes=([1], [1]) | tile: v, (2, 1) | trace: S, 1 | transpose: A | trapezoid: v, dx=0.5
tri: 3 | tril: S, -1 | tril_indices: 3 | triu: S, 1 | triu_indices: 3, 1 | true_divide: v, p | trunc: v | unique: n
unique_all: n | unique_counts: n | unique_inverse: n | unique_values: n | unstack: A, axis=1 | unwrap: v, period=1.5
vander: v, 3 | var: A, axis=1, ddof=1 | vdot: z, z | vecdot: A, v | vecmat: A[:, 0], A | vsplit: A, 2 | vstack: (v, w)
where: m, v, w | zeros: (2, 3) | zeros_like: v
linalg.cholesky: P | linalg.cond: S | linalg.cross: v, w | linalg.det: S | linalg.diagonal: S | linalg.eig: S
linalg.eigh: P | linalg.eigvals: S | linalg.eigvalsh: P | linalg.inv: S | linalg.lstsq: A.T, v | linalg.matmul: A, S
linalg.matrix_norm: A | linalg.matrix_power: S, 3 | linalg.matrix_rank: A | linalg.matrix_transpose: A
linalg.multi_dot: [A, S, v] | linalg.norm: A, axis=1 | linalg.outer: v, w | linalg.pinv: A | linalg.qr: S
linalg.slogdet: S | linalg.solve: S, v | linalg.svd: A, full_matrices=False | linalg.svdvals: A
linalg.tensordot: A, S, axes=1 | linalg.tensorinv: S, ind=1 | linalg.tensorsolve: S, v | linalg.trace: S
linalg.vecdot: A, v | linalg.vector_norm: v, ord=3
fft.fft: v | fft.fft2: A | fft.fftfreq: 4 | fft.fftn: A, axes=(0,) | fft.fftshift: v | fft.hfft: z | fft.ifft: z
fft.ifft2: A | fft.ifftn: A | fft.ifftshift: v | fft.ihfft: v | fft.irfft: z, n=5 | fft.irfft2: A | fft.irfftn: A
fft.rfft: v, norm="ortho" | fft.rfft2: A | fft.rfftfreq: 4 | fft.rfftn: A
"""

# Further calls: the options.
OPTIONS = """
linalg.svd: A, compute_uv=False | linalg.eigh: P, UPLO="L" | linalg.norm: S, "nuc", keepdims=True
sum: A, dtype=np.float32 | sum: A, axis=(0, 1), keepdims=True | sum: m | sum: n, axis=0 | sum: n, dtype=float
prod: A, axis=(0, 1) | prod: n, dtype=float | max: A, initial=0.0 | mean: A, dtype=np.float32 | mean: n
all: A > 0, axis=1, keepdims=True | any: A, axis=(0, 1) | std: A, axis=(0, 1), keepdims=True | std: A, correction=1
var: A, axis=None, ddof=2 | var: z | std: z, ddof=1 | argmax: A, axis=1, keepdims=True | argmin: A, axis=0
median: A, axis=(0, 1), keepdims=True | quantile: A, 0.3, axis=1, method="lower"
quantile: A, [0.1, 0.9], axis=0, keepdims=True | quantile: A, 0.3, method="median_unbiased"
percentile: A, 40, method="nearest" | cumsum: A | cumsum: A, axis=0, dtype=np.float32 | cumprod: A, axis=1
cumulative_sum: A, axis=1 | cumulative_prod: v, include_initial=True | nancumsum: A, axis=1
diff: A, axis=0, prepend=0.0 | diff: v, append=[1.0, 2.0] | diff: A, n=2, axis=1
ediff1d: v, to_begin=[1.0], to_end=2.0 | gradient: A, axis=0 | gradient: A, 0.5, 2.0
gradient: v, np.array([0.0, 1.0, 3.0]), edge_order=2 | trapezoid: A, x=v, axis=1 | trapezoid: A, axis=0
average: A, axis=0 | average: A, axis=1, weights=p, returned=True | cov: A, rowvar=False | cov: A, B
cov: A, bias=True | cov: A, fweights=[1, 2, 1] | cov: A, aweights=p | corrcoef: A, rowvar=False | sort: A, axis=None
sort: A, kind="stable" | argsort: A, axis=None | partition: A, 1, axis=0 | searchsorted: edges, A
searchsorted: v, w, sorter=[0, 1, 2] | unique: v, return_index=True, return_inverse=True, return_counts=True
unique: A, axis=0 | where: m | where: A > 0 | where: A > 0, A, 0 | clip: A, None, 1 | clip: A, v, 2.0 | clip: A, min=0
clip: A, a_min=0, a_max=1 | nan_to_num: A, posinf=1.0 | reshape: A, -1 | reshape: A, (3, 2), order="F"
ravel: A, order="F" | transpose: A, (1, 0) | squeeze: A[None] | expand_dims: A, (0, -1)
moveaxis: A[None], (0, 1), (1, 2) | rollaxis: A[None], 2 | roll: A, 1 | roll: A, (1, 2), axis=(0, 1) | flip: A
flip: A, (0, 1) | rot90: A[None], 1, (1, 2) | repeat: A, 2 | repeat: v, [1, 0, 2] | repeat: A, [1, 2], axis=0
tile: A, 2 | tile: A, (2, 1, 2) | take: A, 1, axis=1 | take: A, [[0, 1]] | take: v, [5, -7], mode="wrap"
take: v, [5, -7], mode="clip" | take_along_axis: A, np.array([[0], [1]]), axis=1 | concatenate: (A, B), axis=None
concatenate: [v, [1.0]] | stack: [v, w], axis=-1 | hstack: [A, B] | vstack: [A, v] | column_stack: [v, A.T]
append: A, B, axis=0 | append: A, v | insert: A, 1, 5.0, axis=1 | insert: v, [0, 2], [7.0, 8.0]
insert: v, slice(0, 2), 1.0 | delete: A, [0, 2], axis=1 | delete: A, 1 | delete: v, slice(0, 2)
delete: v, [True, False, True] | split: A, [1, 2], axis=1 | array_split: A, 2, axis=1 | pad: v, (1, 2)
pad: A, ((1, 0), (0, 2)), constant_values=3.0 | pad: A, 1, mode="edge" | pad: A, 2, mode="wrap"
pad: A, 1, mode="symmetric" | pad: A, 2, mode="linear_ramp", end_values=1.0 | pad: A, 2, mode="mean"
pad: A, 2, mode="maximum", stat_length=1 | pad: A, 2, mode="median" | pad: A, 3, mode="reflect", reflect_type="odd"
pad: A, {0: 1, 1: (1, 2)} | diag: v | diag: S | diag: A, -1 | diagonal: A[None], 0, 1, 2
trace: A[None], axis1=1, axis2=2 | tril: A | triu: A, -1 | vander: v | vander: v, 2, increasing=True | meshgrid: v, w
meshgrid: v, w, sparse=True | tri: 2, 3, -1 | eye: 2, 3, 1 | identity: 2, dtype=int | dot: A, S | dot: v, 2.0
inner: A, B | outer: A, v | kron: A, B | tensordot: A, B, axes=2 | tensordot: A, B, axes=((0, 1), (0, 1))
cross: A, v | vdot: A, B | einsum: "ij->", A | einsum: "ii->i", S | einsum: "...j,...j", A, B
einsum: "ij,jk,k", A, S, v | einsum: A, [0, 1], v, [1], [0] | einsum: "ij,ij->j", A, B, optimize=True
einsum: "i,j", v, w | vecdot: A, B, axis=0 | matmul: A[None], S | convolve: v, p[:2], mode="full"
convolve: v, p[:2], mode="valid" | correlate: v, p[:2] | interp: u, edges, p, left=0.0, right=1.0
interp: u, edges, p, period=3.0 | polyfit: v, w, 2, w=p | choose: n, [v, w, p] | select: [v < 0], [v], default=w
piecewise: v, [v < 0, v > 1], [-1, lambda x: x * x, 3] | compress: [True, False, True], A, axis=1 | extract: A > 0, A
linspace: 0, 1, 3, endpoint=False | linspace: v, w, 4, axis=1 | linspace: 0, 1, 5, retstep=True
logspace: 0, 2, 3, base=2.0 | geomspace: v + 3, 20.0, 3 | arange: 1, 4, 0.5 | arange: 3, dtype=float
full_like: A, 3, dtype=int | zeros: 3, dtype=int | ones_like: A, dtype=np.float32 | zeros_like: A, shape=(2,)
array: [[1, 2], [3, 4]], dtype=float | astype: A, int | bincount: n, minlength=5 | digitize: v, edges, right=True
histogram: v, bins=3, range=(-2, 2) | histogram: v, bins=edges, weights=p
count_nonzero: A > 0, axis=1, keepdims=True | isclose: v, v + 1e-9 | allclose: v, w, atol=10.0
isin: v, w, invert=True | nansum: A, axis=0, keepdims=True | nanvar: A, ddof=1 | nanpercentile: A, [10, 50], axis=1
heaviside: v, w | round: A, decimals=1 | around: A | float_power: v, 2 | power: v, 2 | power: n, 2 | divmod: n, 2
ldexp: v, 2 | angle: z, deg=True | unwrap: A, axis=0 | sinc: v | copysign: 1.0, v | linalg.norm: v | linalg.norm: A
linalg.norm: A, 1 | linalg.norm: A, np.inf, axis=1 | linalg.norm: A, "nuc"
linalg.norm: A, 2, axis=(0, 1), keepdims=True | linalg.norm: v, 0 | linalg.norm: v, 3 | linalg.norm: A, -2
linalg.norm: A, "fro" | linalg.norm: v, -np.inf | linalg.cond: S, 1 | linalg.cond: S, "fro" | linalg.eigvalsh: P, "U"
linalg.svd: A | linalg.qr: A, mode="complete" | linalg.qr: A, mode="r" | linalg.qr: A.T | linalg.pinv: A, rcond=1e-10
linalg.matrix_rank: A, tol=1e-5 | linalg.solve: S, A.T | linalg.inv: S[None] | linalg.matrix_power: S, -2
linalg.matrix_power: S, 0 | linalg.cholesky: P, upper=True | linalg.vector_norm: A, axis=1, ord=1, keepdims=True
linalg.matrix_norm: A, ord=1 | linalg.cross: A, B, axis=1 | linalg.diagonal: S, offset=1 | linalg.trace: S, offset=1
linalg.tensorsolve: S, v | linalg.det: S[None] | linalg.slogdet: S[None] | linalg.svdvals: A | linalg.outer: v, z
linalg.multi_dot: [v, S, w] | linalg.eigvalsh: P, UPLO="U"
"""

# What we leave to NumPy: reason: names.
MISSING = {
    "settings, texts and files are NumPy's own": """
        array2string array_repr array_str base_repr binary_repr format_float_positional format_float_scientific
        get_include getbufsize setbufsize geterrcall
        seterrcall info show_config show_runtime test typename mintypecode frombuffer fromfile fromregex fromstring
        genfromtxt loadtxt savetxt savez savez_compressed iterable""",
    "asks of shape and dtype alone: np.f(tensor) answers, and x.shape, x.dtype do": """
        common_type min_scalar_type""",
    "memory layout has no meaning for a Tensor": """
        ascontiguousarray asfortranarray require isfortran may_share_memory shares_memory asarray_chkfinite""",
    "NumPy's matrix class is obsolete; our arrays are not of it": "asmatrix bmat",
    "writes into its argument: x[...] = v and x.at[...].set(v) are the recorded forms": """
        copyto place put putmask fill_diagonal""",
    "makes arrays of index numbers, constants that NumPy's own give": """
        diag_indices diag_indices_from ix_ mask_indices tril_indices_from triu_indices_from
        ravel_multi_index unravel_index""",
    "dates are no numbers": "busday_count busday_offset is_busday datetime_as_string datetime_data isnat",
    "bits, without a derivative": "packbits unpackbits",
    "counts, without a derivative": "histogram2d histogramdd",
    "constant windows of signal processing; NumPy's own arrays serve": "bartlett blackman hamming hanning kaiser",
    "sets of values, made of unique, concat and isin": "intersect1d setdiff1d setxor1d union1d",
    "its shape depends on the values at the ends": "trim_zeros",
    "its dtype depends on the values": "sort_complex",
    "loops over Python code on numbers; use vmap": "apply_over_axes frompyfunc fromiter nested_iters",
    "repeats or cuts silently; use tile or pad": "resize",
    "plans, it does not compute": "einsum_path",
}
# A name that means something else with us.
OURS = {
    **dict.fromkeys(
        ("get_printoptions", "set_printoptions", "printoptions", "geterr", "seterr", "isscalar", "issubdtype"),
        "a setting or a question of NumPy's, which is handed on",
    ),
    "put_along_axis": "of a Tensor as NumPy's; of an array it gives a changed copy",
    "row_stack": "vstack by its older name",
    "load": "trees in .npz files",
    "save": "trees in .npz files",
}

ARGUMENTS = {
    "A": real(2, 3),
    "B": real(2, 3, key="B"),
    "S": real(3, 3) + 4 * np.eye(3),
    "P": real(3, 3) @ real(3, 3).T + 3 * np.eye(3),
    "v": real(3),
    "w": real(3, key="w"),
    "p": positive(3),
    "u": real(3, low=-0.9, high=0.9),
    "z": complexes(3),
}
CONSTANTS = {
    "np": np,
    "n": np.array([0, 2, 1]),
    "m": np.array([True, False, True]),
    "edges": np.array([-1.0, 0.0, 1.0]),
}
CASES = [entry.split(": ", 1) for line in (CALLS + OPTIONS).split("\n") if line for entry in line.split(" | ")]
TABLE = {name for name, _ in CASES}
DISPATCHED = [(name, text) for name, text in CASES if re.search(r"\b[ABSPvwpuznm]\b", text)]


def _public(module, prefix=""):
    """The functions that a module of NumPy's offers, as names."""
    return {
        prefix + name
        for name in module.__all__
        if callable(getattr(module, name)) and not inspect.isclass(getattr(module, name))
    }


PUBLIC = _public(np) | _public(np.linalg, "linalg.") | _public(np.fft, "fft.")
LEFT_OUT = {name for names in MISSING.values() for name in names.split()}


def _get(module, name):
    for part in name.split("."):
        module = getattr(module, part)
    return module


def _call(f, text, arguments):
    return eval(f"f({text})", {"f": f, **CONSTANTS, **arguments})


def _leaves(out):
    """The arrays of a result, as NumPy arrays, and whether each remembers a derivative."""
    if isinstance(out, (tuple, list)):
        return [leaf for part in out for leaf in _leaves(part)]
    return [(out.detach().numpy(), out.requires_grad) if isinstance(out, tm.Tensor) else (np.asarray(out), False)]


def _tensors():
    return {k: tm.tensor(a, requires_grad=True) for k, a in ARGUMENTS.items()} | {
        k: tm.tensor(CONSTANTS[k]) for k in "nm"
    }


def test_every_public_function_of_numpy_is_ours_or_left_out_for_a_reason():
    assert sorted(PUBLIC - TABLE - LEFT_OUT - OURS.keys()) == []
    assert sorted(TABLE - PUBLIC) == []
    assert sorted(TABLE & LEFT_OUT) == []


def test_what_is_left_out_does_not_exist():
    assert [name for name in sorted(LEFT_OUT) if hasattr(tm, name)] == []


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")
@each(("name", "text"), CASES, parts=8)
def test_the_function_exists_and_has_numpys_values(name, text):
    text = text.replace(".detach()", "")
    with np.errstate(all="ignore"):
        expected = _leaves(_call(_get(np, name), text, ARGUMENTS))
        got = _leaves(_call(_get(tm, name), text, ARGUMENTS))
    assert len(got) == len(expected)
    for (a, _), (b, _) in zip(got, expected):
        assert a.dtype == b.dtype or (name == "linalg.lstsq" and a.dtype.kind == "i")  # the rank: NumPy's is an int32
        assert a.shape == b.shape
        if name == "unique_values":  # NumPy's are in no order
            b = np.sort(b)
        if a.dtype.kind in "fc" and not name.startswith("empty"):
            np.testing.assert_allclose(a, b, rtol=1e-6 if a.dtype == np.float32 else 1e-12, atol=1e-12)
        elif not name.startswith("empty"):
            np.testing.assert_array_equal(a, b)


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")
@each(("name", "text"), DISPATCHED, parts=8)
def test_numpys_function_of_tensors_is_ours(name, text):
    numpy_f, own = _get(np, name), _get(tm, name)
    if name in ("array", "asarray", "asanyarray"):
        with pytest.raises(tm.NeedsDetach, match="detach"):
            _call(numpy_f, "v", _tensors())
        return
    through_numpy = _leaves(_call(numpy_f, text, _tensors()))
    direct = _leaves(_call(own, text, _tensors()))
    assert len(through_numpy) == len(direct)
    for (a, a_live), (b, b_live) in zip(through_numpy, direct):
        assert a_live == b_live
        assert a.dtype == b.dtype
        if not name.startswith("empty"):
            np.testing.assert_array_equal(a, b)


NOT_SMOOTH = {
    "linalg.eig",  # vectors that are free up to a phase: linalg's tests compare products of them
    "empty_like",  # whatever lay in memory
    "nextafter",  # declared without a derivative, as are
    "histogram_bin_edges",
}


OF_NUMBERS = [
    (name, text)
    for name, text in CASES
    if re.search(r"\b[ABSPvwpuz]\b", text) and name not in NOT_SMOOTH and "float32" not in text
]


@each(("name", "text"), OF_NUMBERS, parts=8)
def test_the_function_is_differentiable_to_second_order_or_does_not_move(name, text):
    own, text = _get(tm, name), text.replace(".detach()", "")
    used = sorted(set(re.findall(r"\b[ABSPvwpuz]\b", text)))
    arrays = [ARGUMENTS[k] for k in used]

    def f(*xs):
        given = {k: (x + tm.matrix_transpose(x)) / 2 if k == "P" else x for k, x in zip(used, xs)}
        return [y for y in _flattened(_call(own, text, given)) if isinstance(y, tm.Tensor) and y.dtype.kind in "fc"]

    tm.testing.check_grads(f, arrays, tolerance=1e-5)
    live = {k: tm.tensor(a, requires_grad=True) for k, a in zip(used, arrays)}
    for k, y in enumerate(_flattened(_call(own, text, live))):
        if isinstance(y, tm.Tensor) and y.dtype.kind in "fc" and not y.requires_grad:
            for j in range(len(arrays)):  # what carries no derivative must not depend on x
                shifted = [a + 1e-6 * (i == j) for i, a in enumerate(arrays)]
                moved = _flattened(_call(own, text, dict(zip(used, shifted))))[k]
                np.testing.assert_array_equal(moved.numpy(), y.numpy(), err_msg=f"{used[j]} moves it")


def _flattened(out):
    return [y for part in out for y in _flattened(part)] if isinstance(out, (tuple, list)) else [out]
