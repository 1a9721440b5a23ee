"""What other libraries call things: one table of names, from PyTorch, JAX, autograd, tinygrad and NumPy.

A name that means the same here works (`SAME`); any other raises an AttributeError that says what to write (`SAY`). The
table is read where a name is missing, so that it costs nothing otherwise. `face` gives a room its two last functions:
what it answers for a name that it lacks, and what `dir` shows.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import numpy as np

from .opening import opened

_PACKAGE = __name__.partition(".")[0]
_DTYPE = "pass a dtype: tm.float32, tm.float64, tm.int64, tm.bool"
_ONE_DEVICE = "everything is on the CPU, the one device there is: leave it out"
_NORM = "tm.linalg.norm(x[:, None] - y[None], axis=-1)"
_COSINE = "(x * y).sum(-1) / (tm.linalg.norm(x, axis=-1) * tm.linalg.norm(y, axis=-1))"
_SOFTSIGN, _HARDSWISH = "x / (1 + abs(x))", "x * tm.nn.functional.relu6(x + 3) / 6"
_HARDSIGMOID, _HARDSHRINK = "tm.nn.functional.relu6(x + 3) / 6", "tm.where(abs(x) > limit, x, 0)"
_SOFTSHRINK, _TRIPLET = "x - tm.clip(x, -limit, limit)", "tm.relu(norm(a - p) - norm(a - n) + margin).mean()"
_RANKING, _SOFT_MARGIN = "tm.relu(-y * (a - b) + margin).mean()", "tm.nn.functional.softplus(-y * x).mean()"
_GLU, _THRESHOLD = "a * tm.sigmoid(b) of the halves a, b", "tm.where(x > limit, x, value)"
_COND = "an if outside of tm.compile; within it tm.where(condition, a, b)"
_THREADS = "OPENBLAS_NUM_THREADS in the environment, before NumPy is imported"
_QUAD = "weights @ f(nodes), with nodes, weights = np.polynomial.legendre.leggauss(n)"
_ODE = "tm.integrate.odeint(func, y0, t, args)"
_CONV = "tm.nn.functional.conv2d(x, w), which does not turn w about"
_ROOT = "tm.implicit.root(f, solve), in whose solve it stands with constants"
_CUMULATIVE = "tm.cumsum((y[1:] + y[:-1]) / 2 * dx)"
_FUSED = "both layers as they are, under tm.compile"
_TWO_DIMENSIONS = "layers are for one and two dimensions: the third axis as channels, or a loop over its slices"
_CHUNKS = "tm.split(x, range(k, n, k), axis), where n = x.shape[axis] and k = -(-n // chunks)"
_ADDED = "beta * c + alpha * (a @ b)"
_UNPOOL = "tm.nn.Upsample(scale_factor=k), or a transposed convolution"
_ALL_CLASSES = "tm.nn.CrossEntropyLoss() of the scores of all classes"
_OWN_STATE = "a subclass with its own state_dict and load_state_dict"
_NOT_LAZY = "nothing is lazy here: a Tensor has its values"

# place -> name elsewhere -> ours: a path within this package, or within NumPy ("numpy:...")
SAME: dict[str, dict[str, str]] = {
    "": {
        "as_tensor": "asarray", "from_numpy": "asarray", "cat": "concat", "clamp": "clip", "mm": "matmul",
        "bmm": "matmul", "mv": "matmul", "ger": "outer", "mul": "multiply", "sub": "subtract", "div": "divide",
        "neg": "negative", "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
        "ge": "greater_equal", "numel": "size", "movedim": "moveaxis", "inference_mode": "no_grad",
        "manual_seed": "random.seed", "rand": "random.rand",
        "randn": "random.randn", "rand_like": "random.rand_like", "randn_like": "random.randn_like",
        "bernoulli": "random.bernoulli", "logsumexp": "special.logsumexp",
        "erf": "special.erf", "erfc": "special.erfc", "erfinv": "special.erfinv", "lgamma": "special.gammaln",
        "digamma": "special.digamma", "polygamma": "special.polygamma", "det": "linalg.det",
        "inverse": "linalg.inv", "pinverse": "linalg.pinv", "cholesky": "linalg.cholesky", "norm": "linalg.norm",
        "slogdet": "linalg.slogdet", "matrix_power": "linalg.matrix_power", "Module": "nn.Module",
        "jit": "compile", "TinyJit": "compile", "remat": "checkpoint", "ravel_pytree": "ravel_tree",
        "hessian_vector_product": "transforms.autograd_names.hessian_vector_product",
        "hessian_tensor_product": "transforms.autograd_names.hessian_vector_product",
        **{n: f"transforms.autograd_names.{n}" for n in (
            "elementwise_grad", "deriv", "holomorphic_grad", "grad_named", "defvjp", "defjvp",
        )},
        "check_grads": "testing.check_grads",
        **{n: f"numpy:{n}" for n in (
            "errstate", "seterr", "geterr", "set_printoptions", "get_printoptions", "printoptions", "issubdtype",
            "isscalar", "float16", "lib", "dtype",
        )},
        "row_stack": "vstack", "trapz": "trapezoid", "swapdims": "swapaxes", "repeat_interleave": "repeat",
        "broadcast_tensors": "broadcast_arrays", "clone": "copy", "scalar_tensor": "tensor",
        "is_complex": "iscomplexobj",
        "matrix_exp": "linalg.expm", "mvlgamma": "special.multigammaln",
        **{n: f"nn.functional.{n}" for n in (
            "dropout", "conv1d", "conv2d", "bilinear", "embedding", "layer_norm", "batch_norm",
        )},
    },
    "nn.functional": {
        "upsample": "nn.functional.interpolate", "soft_sign": "nn.functional.softsign",
        "logsigmoid": "special.log_expit", "logsumexp": "special.logsumexp", "swish": "nn.functional.silu",
    },
    "special": {n: n for n in ("expm1", "log1p", "cbrt", "exp2", "sinc")},
    "random": {"manual_seed": "random.seed", "randint": "random.integers"},
    "linalg": {"inverse": "linalg.inv", "matrix_exp": "linalg.expm"},
    "integrate": {"trapezoid": "trapezoid"},
    "optim": {}, "data": {"default_collate": "data.collate"},
}  # fmt: skip

# place -> name elsewhere -> what to write here
SAY: dict[str, dict[str, str]] = {
    "": {
        "randint": "tm.random.integers(low, high, size)", "randperm": "tm.random.permutation(n)",
        "normal": "tm.random.normal(mean, std, size)", "multinomial": "tm.random.choice(n, size, p=weights)",
        "gather": "tm.take_along_axis(x, index, axis=dim)", "index_select": "tm.take(x, index, axis=dim)",
        "masked_select": "x[mask]", "masked_fill": "tm.where(mask, value, x)", "chunk": _CHUNKS,
        "scatter": "x.at[index].set(v), .add(v)", "rsqrt": "1 / tm.sqrt(x)", "svd": "tm.linalg.svd(x)",
        "qr": "tm.linalg.qr(x)", "addmm": _ADDED, "cdist": _NORM,
        "logcumsumexp": "np.logaddexp.accumulate(x)", "kthvalue": "tm.sort(x)[k - 1]",
        "is_tensor": "isinstance(x, tm.Tensor)", "enable_grad": "nothing: recording is on outside of tm.no_grad()",
        "set_grad_enabled": "with tm.no_grad():", "set_default_dtype": "a dtype where the array is made: float32 stays",
        "float": _DTYPE, "double": _DTYPE, "long": _DTYPE, "half": _DTYPE, "int": _DTYPE,
        "FloatTensor": "tm.tensor(x, dtype=tm.float32)", "DoubleTensor": "tm.tensor(x)",
        "LongTensor": "tm.tensor(x, dtype=tm.int64)", "device": _ONE_DEVICE, "cuda": _ONE_DEVICE,
        "autograd": "tm.grad_of(y, x), or a transform: tm.grad(f), tm.jacobian(f), tm.hvp(f, x, v)",
        "Function": "@tm.primitive, with defvjp and defjvp", "utils": "tm.data, tm.nn.utils",
        "numpy": "tm itself: import tinygrad_math as tm",
        "lax": "tm.scan, tm.fori_loop, tm.while_loop; tm.where for cond; tm.stop_gradient",
        "is_grad_enabled": "nothing: recording is on outside of tm.no_grad()", "functional": "tm.nn.functional",
        "numpy_wrapper": "tm itself: import tinygrad_math as tm", "multigrad": "tm.grad(f, argnums=(...))",
        "tree_util": "tm.tree_map, tm.tree_flatten, tm.tree_leaves, tm.ravel_tree",
        "tree": "tm.tree_map, tm.tree_flatten, tm.tree_leaves, tm.ravel_tree",
        "device_put": _ONE_DEVICE, "custom_vjp": "@tm.primitive, with defvjp",
        "custom_jvp": "@tm.primitive, with defjvp",
        "custom_gradient": "@tm.primitive, with defvjp and defjvp",
        "make_jaxpr": "tm.compile(f), then .program, .source",
        "block_until_ready": _NOT_LAZY, "PRNGKey": "tm.random.default_rng(seed)",
        "make_vjp": "tm.vjp(f, x)", "make_jvp": "tm.jvp(f, (x,), (t,))", "make_hvp": "tm.hvp(f, x, v)",
        "make_ggnvp": "tm.ggnvp(model, loss, x, v)", "vector_jacobian_product": "tm.vjp(f, x)",
        "tensor_jacobian_product": "tm.vjp(f, x)", "grad_and_aux": "tm.grad(f, has_aux=True)",
        "make_jvp_reversemode": "tm.jvp(f, (x,), (t,))", "multigrad_dict": "tm.grad(f, argnums=(...))",
        "defvjp_argnum": "@tm.primitive, with defvjp", "getval": "x.detach()",
        "Variable": "tm.tensor(x, requires_grad=True)",
        "r_": "tm.concatenate or tm.stack", "c_": "tm.column_stack",
        "make_diagonal": "x[..., None] * tm.eye(x.shape[-1])",
        "vectorize": "array functions, which act elementwise",
        "matrix": "tm.tensor, and @ for products",
        "dist": "tm.linalg.norm(x - y)", "pdist": _NORM, "pairwise_distance": "tm.linalg.norm(x - y, axis=-1)",
        "diag_embed": "x[..., None] * tm.eye(x.shape[-1])", "histc": "tm.histogram(x, bins, (low, high))[0]",
        "cartesian_prod": "tm.stack(tm.meshgrid(x, y, indexing='ij'), axis=-1).reshape(-1, 2)",
        "combinations": "x[list(itertools.combinations(range(len(x)), 2))]",
        "bucketize": "tm.searchsorted(boundaries, x)", "seed": "tm.random.seed(n)", "initial_seed": "tm.random.seed(n)",
        "func": "the transforms by their own names: tm.grad(f), tm.vmap(f), tm.jacrev(f); "
                "net.with_tensors(parameters)(x) for functional_call",
        "functional_call": "net.with_tensors(parameters)(x)",
        "distributions": "tm.stats.norm.logpdf(x, mean, std), tm.random.normal(mean, std), "
                         "tm.nn.functional.cross_entropy(logits, action) for -log_prob of a choice",
        "narrow": "x[..., start : start + length]",
        "take_along_dim": "tm.take_along_axis(x, index, axis=dim)", "unbind": "tm.unstack(x, axis=dim)",
        "mode": "tm.unique_counts(x)", "cummax": "np.maximum.accumulate(x)", "cummin": "np.minimum.accumulate(x)",
        "addmv": _ADDED, "baddbmm": _ADDED, "addcmul": "x + value * a * b", "addcdiv": "x + value * a / b",
        "lerp": "a + w * (b - a)", "logdet": "tm.linalg.slogdet(x)[1]", "lu": "tm.linalg.lu(x)",
        "solve": "tm.linalg.solve(a, b)", "lstsq": "tm.linalg.lstsq(a, b)", "aminmax": "tm.min(x), tm.max(x)",
        "triangular_solve": "tm.linalg.solve_triangular(a, b)", "var_mean": "tm.var(x), tm.mean(x)",
        "std_mean": "tm.std(x), tm.mean(x)", "complex": "a + 1j * b", "polar": "a * tm.exp(1j * b)",
        "view_as_real": "tm.stack([x.real, x.imag], axis=-1)", "view_as_complex": "x[..., 0] + 1j * x[..., 1]",
        "detach": "x.detach(), or tm.stop_gradient(x)", "Size": "a tuple: x.shape", "sgn": "tm.sign(x)",
        "Generator": "tm.random.default_rng(seed)", "unflatten": "tm.reshape(x, shape)",
        "is_floating_point": "tm.isdtype(x.dtype, 'real floating')", "index_add": "x.at[index].add(v)",
        "index_put": "x.at[index].set(v)", "index_fill": "x.at[index].set(v)", "index_copy": "x.at[index].set(v)",
        "renorm": "x * tm.minimum(1, limit / tm.linalg.norm(x, axis=axis, keepdims=True))",
        "cosine_similarity": _COSINE, "bfloat16": "tm.float32: NumPy has no bfloat16",
        "get_default_dtype": "tm.float64, which Python's numbers become; what is float32 stays so",
        "set_num_threads": _THREADS, "get_num_threads": _THREADS,
        "set_anomaly_enabled": "with tm.inspect.detect_anomaly():",
        "pmap": "tm.vmap(f), or tm.distributed over a cluster", "linear_transpose": "tm.vjp(f, x)[1]",
        "eval_shape": "f(x).shape", "device_get": "x.numpy()", "devices": _ONE_DEVICE,
        "local_device_count": _ONE_DEVICE,
        "default_backend": _ONE_DEVICE, "scipy": "tm.special, tm.linalg, tm.stats", "Array": "tm.Tensor",
        "disable_jit": "f itself in place of tm.compile(f)", "pure_callback": "@tm.primitive",
        "debug": "print(x): outside of tm.compile and tm.vmap every value is there",
        "config": "nothing: float64 is the default", "cond": _COND, "switch": "tm.select(conditions, choices)",
        "dot_general": "tm.einsum(...)", "conv_general_dilated": "tm.nn.functional.conv2d(x, w)",
        "dynamic_slice": "x[i : i + n]", "dynamic_update_slice": "x.at[i : i + n].set(v)",
        "associative_scan": "tm.cumsum(x), tm.cumprod(x), or tm.scan(f, init, xs)", "psum": "tm.sum(x, axis=0)",
        "pmean": "tm.mean(x, axis=0)", "top_k": "tm.topk(x, k)", "custom_root": "tm.implicit.root(f, solve)",
        "custom_linear_solve": "tm.implicit.root(f, solve)",
        "index_exp": "np.index_exp", "s_": "np.s_",
        "mgrid": "tm.meshgrid(..., indexing='ij')",
        "ogrid": "tm.meshgrid(..., indexing='ij', sparse=True)",
        "float_": "tm.float64", "misc": "tm.tree_flatten, tm.ravel_tree",
        "test_util": "tm.testing.check_grads(f, args)",
        "extend": "@tm.primitive, with defvjp and defjvp", "differential_operators": "the same names in tm",
        "dtypes": "tm.float32, tm.float64, tm.int64", "Device": _ONE_DEVICE,
        "interpolate": "tm.interp(x, xp, fp)", "signal": "tm.convolve(a, b), tm.correlate(a, b)",
        "ndimage": "tm.convolve(a, b), tm.nn.functional.conv2d(x, w)",
        "spatial": "tm.geometry, tm.linalg.norm(x - y)", "optimize": "tm.optim.minimize(f, x0)",
        "jnp": "tm itself: import tinygrad_math as tm", "backends": _ONE_DEVICE, "multiprocessing": "tm.distributed",
        "amp": "arrays of tm.float32, which stays float32", "profiler": "tm.compile(f), then .profile",
        "sparse": "tm.lift(A) @ x of a SciPy matrix, tm.curvature.sparse_jacobian(f, x)", "onnx": "tm.to_source(f, x)",
    },
    "Tensor": {
        "fill_diagonal_": "np.fill_diagonal(x, value)",
        **{n: "tm." + n + "(x)" for n in (
            "diff", "nan_to_num", "unique", "logical_not", "bincount", "count_nonzero", "cov", "corrcoef", "sinc",
        )},
        **{n: "tm." + n + "(x, y)" for n in (
            "cross", "floor_divide", "logical_and", "logical_or", "logical_xor", "fmax", "fmin", "float_power",
            "heaviside", "arctan2", "atan2",
        )},
        **{n: "tm.special." + n + "(x)" for n in ("erfc", "erfinv", "digamma", "polygamma", "i0")},
        **{n + "_": f"x[...] = tm.{n}(x)" for n in ("tanh", "sigmoid", "abs", "floor", "ceil", "round")},
        "byte": "x.astype(tm.uint8)", "short": "x.astype(tm.int16)", "char": "x.astype(tm.int8)",
        "values": "x.max(axis) is the values alone", "indices": "x.argmax(axis), x.argmin(axis), x.argsort(axis)",
        "cat": "tm.concatenate([x, y], axis)", "stack": "tm.stack([x, y], axis)", "where": "tm.where(condition, x, y)",
        "cummax": "np.maximum.accumulate(x)", "cummin": "np.minimum.accumulate(x)", "diag": "tm.diag(x)",
        "dist": "tm.linalg.norm(x - y)", "element_size": "x.dtype.itemsize", "fmod": "tm.fmod(x, y)",
        "frac": "x - tm.trunc(x)", "fix": "tm.trunc(x)", "index_add": "x.at[index].add(v)",
        "index_copy_": "x[index] = v", "index_fill_": "x[index] = v", "index_fill": "x.at[index].set(v)",
        "scatter_add": "x.at[index].add(v)", "is_contiguous": "x.data.flags.c_contiguous",
        "is_floating_point": "tm.isdtype(x.dtype, 'real floating')", "is_complex": "tm.iscomplexobj(x)",
        "kthvalue": "tm.sort(x)[k - 1]", "lerp": "x + w * (y - x)", "lerp_": "x[...] = x + w * (y - x)",
        "movedim": "tm.moveaxis(x, source, destination)", "swapdims": "x.swapaxes(a, b)",
        "multinomial": "tm.random.choice(n, size, p=x)", "bernoulli_": "x[...] = tm.random.bernoulli(p, x.shape)",
        "exponential_": "x[...] = tm.random.exponential(size=x.shape)", "ndimension": "x.ndim",
        "new_empty": "tm.empty(shape, dtype=x.dtype)", "new_full": "tm.full(shape, v, dtype=x.dtype)",
        "new_tensor": "tm.tensor(v, dtype=x.dtype)", "rsqrt": "1 / tm.sqrt(x)", "select": "tm.take(x, index, axis=dim)",
        "slogdet": "tm.linalg.slogdet(x)", "logdet": "tm.linalg.slogdet(x)[1]", "stride": "x.strides, in bytes",
        "type": "x.dtype, or x.astype(dtype)", "unsqueeze_": "x = x.unsqueeze(axis)", "squeeze_": "x = x.squeeze(axis)",
        "t_": "x = x.T", "unflatten": "x.reshape(shape)", "sgn": "tm.sign(x)", "apply_": "array functions of x",
        "map_": "array functions of x and y", "pow_": "x[...] = x ** p", "neg_": "x[...] = -x",
        "clamp_min": "x.clamp(min=low)", "clamp_max": "x.clamp(max=high)", "aminmax": "x.min(), x.max()",
        "histc": "tm.histogram(x, bins, (low, high))[0]", "lgamma": "tm.special.gammaln(x)",
        "xlogy": "tm.special.xlogy(x, y)", "addcmul": "x + value * a * b", "addcdiv": "x + value * a / b",
        "addcmul_": "x[...] = x + value * a * b", "addcdiv_": "x[...] = x + value * a / b", "baddbmm": _ADDED,
        "addmv": _ADDED, "mode": "tm.unique_counts(x)", "gelu": "tm.nn.functional.gelu(x)",
        "silu": "tm.nn.functional.silu(x)", "swish": "tm.nn.functional.silu(x)", "elu": "tm.nn.functional.elu(x)",
        "leaky_relu": "tm.nn.functional.leaky_relu(x)", "softplus": "tm.nn.functional.softplus(x)",
        "mish": "tm.nn.functional.mish(x)", "celu": "tm.nn.functional.celu(x)", "relu6": "tm.nn.functional.relu6(x)",
        "hardtanh": "tm.nn.functional.hardtanh(x)", "softsign": _SOFTSIGN, "hardswish": _HARDSWISH,
        "cross_entropy": "tm.nn.functional.cross_entropy(x, labels)",
        "sparse_categorical_crossentropy": "tm.nn.functional.cross_entropy(x, labels)",
        "binary_crossentropy": "tm.nn.functional.binary_cross_entropy(x, y)", "pad": "tm.pad(x, width)",
        "one_hot": "tm.nn.functional.one_hot(x, n)", "dropout": "tm.nn.functional.dropout(x, p)",
        "conv2d": "tm.nn.functional.conv2d(x, w)", "max_pool2d": "tm.nn.functional.max_pool2d(x, n)",
        "avg_pool2d": "tm.nn.functional.avg_pool2d(x, n)", "layernorm": "tm.nn.functional.layer_norm(x, shape)",
        "batchnorm": "tm.nn.BatchNorm2d", "linear": "tm.nn.functional.linear(x, w, b)", "cast": "x.astype(dtype)",
        "einsum": "tm.einsum(formula, x, y)", "shrink": "a slice: x[i:j]", "schedule": _NOT_LAZY,
        "sequential": "tm.nn.Sequential(...)", "interpolate": "tm.interp(x, xp, fp)",
        **{n: f"tm.{n}(...)" for n in ("zeros", "ones", "full", "arange", "eye")},
        **{n: f"tm.random.{n}(...)" for n in ("rand", "randn", "normal", "uniform")},
        "cuda": _ONE_DEVICE, "is_cuda": _ONE_DEVICE, "pin_memory": _ONE_DEVICE,
        "grad_fn": "tm.graph(x), which draws it",
        "data_ptr": "x.data.ctypes.data", "detach_": "x = x.detach()", "scatter": "x.at[index].set(v), .add(v)",
        "scatter_": "x[index] = v", "scatter_add_": "x.at[index].add(v)", "index_add_": "x.at[index].add(v)",
        "index_put_": "x[index] = v", "chunk": _CHUNKS, "svd": "tm.linalg.svd(x)",
        "qr": "tm.linalg.qr(x)", "H": "x.mT.conj()", "mH": "x.mT.conj()", "log_": "x = tm.log(x)",
        "exp_": "x = tm.exp(x)",
        "sqrt_": "x = tm.sqrt(x)", "clamp_": "x[...] = x.clip(low, high)", "relu_": "x = x.relu()",
        "normal_": "tm.nn.init.normal_(x)", "uniform_": "tm.nn.init.uniform_(x)", "new_zeros": "tm.zeros(shape)",
        "new_ones": "tm.ones(shape)", "narrow": "x[..., start : start + length]", "unfold": "a slice for each window",
        "std_mean": "x.std(), x.mean()", "var_mean": "x.var(), x.mean()", "block_until_ready": _NOT_LAZY,
        "realize": _NOT_LAZY, "assign": "x[...] = v", "masked_select": "x[mask]", "masked_fill_": "x[mask] = value",
        "equal": "tm.array_equal(x, y), or x == y for each element", "addmm": _ADDED, "is_sparse": "it never is",
        "random_": "tm.nn.init.uniform_(x)", "storage": "x.data", "untyped_storage": "x.data",
        "training": "net.training, which net.train() and net.eval() set",
        "leakyrelu": "tm.nn.functional.leaky_relu(x)", "share_memory_": _ONE_DEVICE, "tobytes": "x.numpy().tobytes()",
    },
    "nn": {
        **{n: f"tm.nn.functional.{n}(x)" for n in (
            "relu", "gelu", "silu", "elu", "celu", "selu", "leaky_relu", "softplus", "softmax", "log_softmax",
            "sigmoid", "one_hot",
        )},
        "tanh": "tm.tanh(x)", "state": "net.parameters(), net.state_dict()",
        "CrossEntropy": "tm.nn.CrossEntropyLoss", "DataParallel": _ONE_DEVICE, "SyncBatchNorm": _ONE_DEVICE,
        "UpsamplingNearest2d": "tm.nn.Upsample(scale_factor=k)",
        "UpsamplingBilinear2d": "tm.nn.Upsample(scale_factor=k, mode='bilinear', align_corners=True)",
        "LazyLinear": "tm.nn.Linear(n_in, n_out)", "LazyConv2d": "tm.nn.Conv2d(n_in, n_out, size)",
        "LazyConv1d": "tm.nn.Conv1d(n_in, n_out, size)", "LazyBatchNorm1d": "tm.nn.BatchNorm1d(n)",
        "LazyBatchNorm2d": "tm.nn.BatchNorm2d(n)", "NLLLoss2d": "tm.nn.NLLLoss",
        "Buffer": "self.register_buffer(name, x)",
        "LazyConvTranspose1d": "tm.nn.ConvTranspose1d(n_in, n_out, size)",
        "LazyConvTranspose2d": "tm.nn.ConvTranspose2d(n_in, n_out, size)",
        "LazyInstanceNorm1d": "tm.nn.InstanceNorm1d(n)", "LazyInstanceNorm2d": "tm.nn.InstanceNorm2d(n)",
        **{f"{n}3d": _TWO_DIMENSIONS for n in (
            "AdaptiveAvgPool", "AdaptiveMaxPool", "AvgPool", "BatchNorm", "CircularPad", "ConstantPad", "Conv",
            "ConvTranspose", "Dropout", "FractionalMaxPool", "InstanceNorm", "LPPool", "LazyBatchNorm", "LazyConv",
            "LazyConvTranspose", "LazyInstanceNorm", "MaxPool", "MaxUnpool", "ReflectionPad", "ReplicationPad",
            "ZeroPad",
        )},
        "FractionalMaxPool2d": "tm.nn.AdaptiveMaxPool2d(size)", "FeatureAlphaDropout": "tm.nn.AlphaDropout(p)",
        "MaxUnpool1d": _UNPOOL, "MaxUnpool2d": _UNPOOL, "RNNBase": "tm.nn.Module", "RNNCellBase": "tm.nn.Module",
        "AdaptiveLogSoftmaxWithLoss": _ALL_CLASSES, "LinearCrossEntropyLoss": _ALL_CLASSES,
        "LinearCrossEntropyOptions": _ALL_CLASSES, "Container": "tm.nn.Module",
        "LocalResponseNorm": "tm.nn.GroupNorm", "CrossMapLRN2d": "tm.nn.GroupNorm",
        "UninitializedParameter": "tm.nn.Parameter(x)", "UninitializedBuffer": "self.register_buffer(name, x)",
        "RReLU": "tm.nn.LeakyReLU",
        "MultiLabelMarginLoss": "tm.nn.MultiLabelSoftMarginLoss",
        "ChannelShuffle": "x.reshape(n, groups, -1, h, w).swapaxes(1, 2).reshape(x.shape)",
    },
    "nn.functional": {
        "hard_tanh": "tm.nn.functional.hardtanh(x)", "initializers": "tm.nn.init",
        "multi_head_attention_forward": "tm.nn.MultiheadAttention(d, heads)(q, k, v)",
        "standardize": "(x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)",
        **{f"{n}_": f"tm.nn.functional.{n}(x)" for n in ("relu", "elu", "celu", "selu", "leaky_relu", "hardtanh")},
        "threshold_": "tm.nn.functional.threshold(x, threshold, value)", "rrelu": "tm.nn.functional.leaky_relu(x)",
        "multilabel_margin_loss": "tm.nn.functional.multilabel_soft_margin_loss(x, y)",
        **{f"{n}3d": _TWO_DIMENSIONS for n in (
            "adaptive_avg_pool", "adaptive_max_pool", "avg_pool", "conv", "conv_transpose", "dropout",
            "fractional_max_pool", "lp_pool", "max_pool", "max_unpool",
        )},
        "max_unpool1d": _UNPOOL, "max_unpool2d": _UNPOOL,
        "channel_shuffle": "x.reshape(n, groups, -1, h, w).swapaxes(1, 2).reshape(x.shape)",
        "linear_cross_entropy": _ALL_CLASSES, "local_response_norm": "tm.nn.functional.group_norm(x, groups)",
        "fractional_max_pool2d": "tm.nn.functional.adaptive_max_pool2d(x, size)",
        "feature_alpha_dropout": "tm.nn.functional.alpha_dropout(x, p)",
        "affine_grid": "points @ theta.mT of a grid of points", "grid_sample": "tm.nn.functional.interpolate(x, size)",
        "conv_tbc": "tm.nn.functional.conv1d of x with its axes turned",
        "upsample_nearest": "tm.nn.functional.interpolate(x, scale_factor=k)",
        "upsample_bilinear": "tm.nn.functional.interpolate(x, scale_factor=k, mode='bilinear', align_corners=True)",
    },
    "nn.utils": {
        "weight_norm": "tm.nn.utils.parametrizations.weight_norm(module)",
        "spectral_norm": "tm.nn.utils.parametrizations.spectral_norm(module)",
        "remove_weight_norm": "tm.nn.utils.parametrize.remove_parametrizations(module, 'weight')",
        "remove_spectral_norm": "tm.nn.utils.parametrize.remove_parametrizations(module, 'weight')",
        "fuse_conv_bn_eval": _FUSED, "fuse_linear_bn_eval": _FUSED, "skip_init": "the layer itself",
        "get_total_norm": "tm.linalg.norm(tm.nn.utils.parameters_to_vector([p.grad for p in net.parameters()]))",
        "clip_grads_with_norm_": "tm.nn.utils.clip_grad_norm_(parameters, max_norm)",
        "clip_grad_norm": "tm.nn.utils.clip_grad_norm_(parameters, max_norm)",
        "rnn": "sequences of one length, made longer by tm.nn.functional.pad, and a mask in the loss",
        "stateless": "net.with_tensors(parameters)(x) for functional_call",
    },
    "nn.utils.parametrizations": {
        "orthogonal": "tm.nn.utils.parametrize.register_parametrization(layer, 'weight', map)",
    },
    "nn.utils.parametrize": {"cached": "w = layer.weight once, and functions of it"},
    "nn.init": {n: f"tm.nn.init.{n}_(x)" for n in (
        "constant", "dirac", "eye", "kaiming_normal", "kaiming_uniform", "normal", "orthogonal", "sparse", "uniform",
        "xavier_normal", "xavier_uniform",
    )},
    "nn.Module": {
        "cuda": _ONE_DEVICE, "xpu": _ONE_DEVICE, "share_memory": _ONE_DEVICE,
        "to_empty": _ONE_DEVICE,
        "bfloat16": "net.to(tm.float32): NumPy has no bfloat16", "type": "net.to(dtype)",
        "compile": "tm.compile(net), which returns the compiled one",
        "register_backward_hook": "net.register_full_backward_hook(hook)",
        "register_full_backward_pre_hook": "y.register_hook(hook) of what the module returns",
        "register_state_dict_pre_hook": _OWN_STATE, "register_state_dict_post_hook": _OWN_STATE,
        "register_load_state_dict_pre_hook": _OWN_STATE, "register_load_state_dict_post_hook": _OWN_STATE,
        "get_extra_state": "register_buffer, for what belongs to the state",
        "set_extra_state": "register_buffer, for what belongs to the state",
    },
    "linalg": {"matmul_": "tm.matmul", "vander": "tm.vander", "lu_factor": "tm.linalg.solve(a, b)",
               "lu_solve": "tm.linalg.solve(a, b)", "inv_ex": "tm.linalg.inv(x)", "ldl_factor": "tm.linalg.cholesky(x)",
               "cholesky_ex": "tm.linalg.cholesky(x)", "householder_product": "tm.linalg.qr(x)",
               "cho_factor": "tm.linalg.cholesky(x)", "cho_solve": "tm.linalg.solve(a, b)",
               "pinvh": "tm.linalg.pinv(x)", "eigvalsh_tridiagonal": "tm.linalg.eigvalsh(x)"},
    "random": {
        "PRNGKey": "default_rng(seed)", "key": "default_rng(seed)",
        "split": "default_rng(seed): a generator moves on by itself", "shuffle": "x = permutation(x)",
        "RandomState": "default_rng(seed)", "categorical": "tm.random.choice(n, p=tm.softmax(logits))",
        "fold_in": "default_rng([seed, k + 1])", "rademacher": "2 * tm.random.integers(0, 2, size) - 1",
        "truncated_normal": "tm.nn.init.trunc_normal_(x)",
    },
    "optim": {
        "SparseAdam": "tm.optim.Adam",
        "Adafactor": "tm.optim.Adam", "Muon": "tm.optim.AdamW",
    },
    "data": {
        "IterableDataset": "any iterable of batches", "ChainDataset": "itertools.chain of iterables of batches",
        "StackDataset": "tm.data.TensorDataset(x, y), or a list of tuples",
    },
    "special": {"bessel_j0": "tm.special.j0(x)", "bessel_j1": "tm.special.j1(x)", "bessel_y0": "tm.special.y0(x)",
                "bessel_y1": "tm.special.y1(x)", "round": "tm.round(x)"},
    "integrate": {"solve_ivp": f"{_ODE}, or tm.lift(scipy.integrate).solve_ivp", **{
        n: f"tm.lift(scipy.integrate).{n}" for n in (
            "quad", "dblquad", "tplquad", "nquad", "quad_vec", "fixed_quad", "simpson", "romb", "cumulative_trapezoid",
            "cumulative_simpson",
        )
    }},
}  # fmt: skip


# module of SciPy -> our room, for functions of one name; and function of SciPy or scikit-learn -> what to write here
_ROOMS = {
    "scipy.linalg": "linalg", "scipy.fft": "fft", "scipy.special": "special", "scipy.integrate": "", "scipy.signal": "",
    "scipy.stats": "stats",
}  # fmt: skip
_SCIPYS: dict[str, str] = {
    "eigh_tridiagonal": "tm.linalg.eigh(x)", "eigvalsh_tridiagonal": "tm.linalg.eigvalsh(x)",
    "pinvh": "tm.linalg.pinv(x)", "cho_factor": "tm.linalg.cholesky(x)", "cho_solve": "tm.linalg.solve(a, b)",
    "lu_factor": "tm.linalg.lu(x)", "lu_solve": "tm.linalg.solve(a, b)", "solve_toeplitz": "tm.linalg.solve(a, b)",
    "solveh_banded": "tm.linalg.solve(a, b)", "solve_continuous_lyapunov": "tm.linalg.solve_sylvester(a, a.T, q)",
    "solve_discrete_lyapunov": "tm.linalg.solve(tm.eye(n * n) - tm.kron(a, a), q.ravel())",
    "circulant": "tm.linalg.toeplitz(c, tm.roll(c[::-1], 1))", "matmul_toeplitz": "tm.linalg.toeplitz(c, r) @ x",
    "fractional_matrix_power": "tm.linalg.expm(t * tm.linalg.logm(x))", "polar": "tm.linalg.svd(x)",
    "simpson": "tm.lift(scipy.integrate).simpson", "cumulative_trapezoid": _CUMULATIVE, "romb": "tm.trapezoid(y)",
    "quad": _QUAD, "dblquad": _QUAD, "quad_vec": _QUAD, "fixed_quad": _QUAD, "nquad": _QUAD, "tanhsinh": _QUAD,
    "solve_ivp": _ODE, "odeint": _ODE, "fftconvolve": "tm.convolve(a, b)", "oaconvolve": "tm.convolve(a, b)",
    "convolve2d": _CONV, "correlate2d": _CONV, "hilbert": "tm.fft.ifft(tm.fft.fft(x) * weights)",
    "detrend": "x - tm.polyval(tm.polyfit(t, x, 1), t)", "lfilter": "tm.scan(step, init, x)", "medfilt": "tm.median(x)",
    "upfirdn": "tm.convolve(a, b)", "interp1d": "tm.interp(x, xp, fp)", "cdist": _NORM, "pdist": _NORM,
    "distance_matrix": _NORM, "euclidean": "tm.linalg.norm(x - y)", "sqeuclidean": "tm.square(x - y).sum()",
    "cityblock": "abs(x - y).sum()", "chebyshev": "abs(x - y).max()", "cosine": f"1 - {_COSINE}",
    "minkowski": "tm.linalg.norm(x - y, ord=p)", "logsumexp": "tm.special.logsumexp(x)",
    "mean_squared_error": "tm.square(x - y).mean()", "mean_absolute_error": "abs(x - y).mean()",
    "log_loss": "tm.nn.functional.cross_entropy(x, labels)", "r2_score": "1 - ((y - x) ** 2).mean() / y.var()",
    "brentq": _ROOT, "brenth": _ROOT, "ridder": _ROOT, "toms748": _ROOT, "bisect": _ROOT, "newton": _ROOT,
    "fsolve": _ROOT, "root": _ROOT, "root_scalar": _ROOT,
    "minimize": _ROOT, "least_squares": _ROOT, "fixed_point": "tm.implicit.fixed_point(f)(x0)",
}  # fmt: skip


def instead_of(home: str, name: str) -> str | None:
    """What to write in place of a function of SciPy's or scikit-learn's that a module holds."""
    if name in _SCIPYS:
        return _SCIPYS[name]
    place = _ROOMS.get(".".join(home.split(".")[:2]))
    if place is None:
        return None
    room = opened(".".join(filter(None, (_PACKAGE, place))))
    first, _, method = name.partition(".")
    known = first in dir(room) and (not method or hasattr(getattr(room, first), method))
    return ".".join(filter(None, ("tm", place, name))) if known else None


class Elsewhere:
    """An attribute that a class does not have, under another library's name: asking for it says what to write."""

    def __init__(self, name: str, instead: str) -> None:
        self.name, self.instead = name, instead

    def __get__(self, thing: Any, kind: Any = None) -> Any:
        raise AttributeError(
            f"{kind.__name__!r} object has no attribute {self.name!r}; here: {self.instead}", name=self.name
        )


def find(place: str, name: str) -> Any:
    """What a name of another library means in a room ("" for the package itself), or an AttributeError that helps."""
    ours = SAME.get(place, {}).get(name)
    room = ".".join(filter(None, (_PACKAGE, place)))
    if ours is not None:
        if ours.startswith("numpy:"):
            return getattr(np, ours.removeprefix("numpy:"))
        module, _, last = f"{_PACKAGE}.{ours}".rpartition(".")
        return getattr(opened(module), last)
    instead = SAY.get(place, {}).get(name)
    if instead is None and not name.startswith("_"):
        theirs = getattr(np, name, None) if not place else None
        if callable(theirs):
            instead = f"np.{name}: NumPy's own takes Tensors that need no gradient"
    advice = f"; here: {instead}" if instead is not None else ""
    raise AttributeError(f"module {room!r} has no attribute {name!r}{advice}", name=name, obj=sys.modules.get(room))


def public(module: Any, rooms: Iterable[str] = ()) -> list[str]:
    """The names that a module offers: those in its `__all__`, or what it holds of this package's."""
    if "__all__" in vars(module):
        return sorted({*module.__all__, *rooms})
    return sorted({*(n for n, v in vars(module).items() if not n.startswith("_") and _offered(v)), *rooms})


def _offered(value: Any) -> bool:
    home = getattr(value, "__module__", None) or type(value).__module__
    return not isinstance(value, ModuleType) and home.partition(".")[0] in (_PACKAGE, "numpy", "scipy", "builtins")


def face(home: str, *rooms: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The functions `__getattr__` and `__dir__` of a room; `rooms` are the modules within it that are for users."""
    place = home.partition(".")[2]
    return lambda name: find(place, name), lambda: public(sys.modules[home], rooms)


def starred(names: Iterable[str]) -> list[str]:
    """What `from tinygrad_math import *` takes: it shadows nothing that Python itself has."""
    return [n for n in names if not hasattr(builtins, n) and not n.startswith("_")]
