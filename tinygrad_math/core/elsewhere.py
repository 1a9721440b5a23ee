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
_NOT_LAZY = "nothing is lazy here: a Tensor has its values"

# place -> name elsewhere -> ours: a path within this package, or within NumPy ("numpy:...")
SAME: dict[str, dict[str, str]] = {
    "": {
        "as_tensor": "asarray", "from_numpy": "asarray", "cat": "concat", "clamp": "clip", "mm": "matmul",
        "bmm": "matmul", "mv": "matmul", "ger": "outer", "mul": "multiply", "sub": "subtract", "div": "divide",
        "neg": "negative", "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
        "ge": "greater_equal", "numel": "size", "movedim": "moveaxis", "inference_mode": "no_grad",
        "manual_seed": "random.seed", "rand": "random.rand",
        "randn": "random.randn", "bernoulli": "random.bernoulli", "logsumexp": "special.logsumexp",
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
        "row_stack": "vstack",
    },
    "nn.functional": {
        "logsigmoid": "special.log_expit",
    },
    "special": {n: n for n in ("expm1", "log1p", "cbrt", "exp2", "sinc")},
    "random": {"manual_seed": "random.seed", "randint": "random.integers"},
    "linalg": {"inverse": "linalg.inv"},
    "optim": {},
}  # fmt: skip

# place -> name elsewhere -> what to write here
SAY: dict[str, dict[str, str]] = {
    "": {
        "randn_like": "tm.randn(*x.shape)", "rand_like": "tm.rand(*x.shape)",
        "randint": "tm.random.integers(low, high, size)", "randperm": "tm.random.permutation(n)",
        "normal": "tm.random.normal(mean, std, size)", "multinomial": "tm.random.choice(n, size, p=weights)",
        "gather": "tm.take_along_axis(x, index, axis=dim)", "index_select": "tm.take(x, index, axis=dim)",
        "masked_select": "x[mask]", "masked_fill": "tm.where(mask, value, x)", "chunk": "tm.array_split(x, n, axis)",
        "scatter": "x.at[index].set(v), .add(v)", "rsqrt": "1 / tm.sqrt(x)", "svd": "tm.linalg.svd(x)",
        "qr": "tm.linalg.qr(x)", "addmm": "c + a @ b", "cdist": "tm.linalg.norm(x[:, None] - y[None], axis=-1)",
        "logcumsumexp": "np.logaddexp.accumulate(x)", "kthvalue": "tm.sort(x)[k - 1]",
        "is_tensor": "isinstance(x, tm.Tensor)", "enable_grad": "nothing: recording is on outside of tm.no_grad()",
        "set_grad_enabled": "with tm.no_grad():", "set_default_dtype": "a dtype where the array is made: float32 stays",
        "float": _DTYPE, "double": _DTYPE, "long": _DTYPE, "half": _DTYPE, "int": _DTYPE,
        "FloatTensor": "tm.tensor(x, dtype=tm.float32)", "DoubleTensor": "tm.tensor(x)",
        "LongTensor": "tm.tensor(x, dtype=tm.int64)", "device": _ONE_DEVICE, "cuda": _ONE_DEVICE,
        "autograd": "tm.grad_of(y, x), or a transform: tm.grad(f), tm.jacobian(f), tm.hvp(f, x, v)",
        "Function": "@tm.primitive, with defvjp and defjvp", "utils": "tm.data, tm.nn.utils",
        "numpy": "tm itself: import tinygrad_math as tm", "lax": "Python's loops; tm.compile unrolls them",
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
    },
    "Tensor": {
        "cuda": _ONE_DEVICE, "is_cuda": _ONE_DEVICE, "pin_memory": _ONE_DEVICE,
        "grad_fn": "tm.graph(x), which draws it",
        "data_ptr": "x.data.ctypes.data", "detach_": "x = x.detach()", "scatter": "x.at[index].set(v), .add(v)",
        "scatter_": "x[index] = v", "scatter_add_": "x.at[index].add(v)", "index_add_": "x.at[index].add(v)",
        "index_put_": "x[index] = v", "chunk": "tm.array_split(x, n, axis)", "svd": "tm.linalg.svd(x)",
        "qr": "tm.linalg.qr(x)", "H": "x.mT.conj()", "mH": "x.mT.conj()", "log_": "x = tm.log(x)",
        "exp_": "x = tm.exp(x)",
        "sqrt_": "x = tm.sqrt(x)", "clamp_": "x[...] = x.clip(low, high)", "relu_": "x = x.relu()",
        "normal_": "tm.nn.init.normal_(x)", "uniform_": "tm.nn.init.uniform_(x)", "new_zeros": "tm.zeros(shape)",
        "new_ones": "tm.ones(shape)", "narrow": "x[..., start : start + length]", "unfold": "a slice for each window",
        "std_mean": "x.std(), x.mean()", "var_mean": "x.var(), x.mean()", "block_until_ready": _NOT_LAZY,
        "realize": _NOT_LAZY, "assign": "x[...] = v", "masked_select": "x[mask]", "masked_fill_": "x[mask] = value",
        "equal": "tm.array_equal(x, y), or x == y for each element", "addmm": "c + a @ b", "is_sparse": "it never is",
        "random_": "tm.nn.init.uniform_(x)", "share_memory_": _ONE_DEVICE, "tobytes": "x.numpy().tobytes()",
    },
    "nn": {
        "CrossEntropy": "tm.nn.CrossEntropyLoss", "DataParallel": _ONE_DEVICE,
        "Upsample": "tm.repeat(tm.repeat(x, 2, axis=-1), 2, axis=-2), which takes the nearest",
        "ZeroPad2d": "tm.pad(x, width), with NumPy's order of axes, or padding= of a convolution",
        "AdaptiveAvgPool1d": "x.mean(-1, keepdims=True) for one output", "Softmin": "Softmax of -x",
        "CosineSimilarity": "the product of x / norm(x) and y / norm(y), summed",
        "PairwiseDistance": "tm.linalg.norm(x - y, axis=-1)", "ParameterList": "tm.nn.Parameter as attributes",
        "TripletMarginLoss": "tm.maximum(norm(a - p) - norm(a - n) + margin, 0).mean()",
    },
    "nn.functional": {
        "normalize": "x / tm.linalg.norm(x, axis=1, keepdims=True)",
        "pad": "tm.pad(x, width), with NumPy's order of axes",
        "cosine_similarity": "the product of x / norm(x) and y / norm(y), summed", "relu_": "relu(x)",
        "softmin": "softmax(-x, axis)", "unfold": "tm.nn.Conv2d, or slices", "glu": "a * sigmoid(b) of the halves a, b",
        "pairwise_distance": "tm.linalg.norm(x - y, axis=-1)",
    },
    "linalg": {"matmul_": "tm.matmul", "vander": "tm.vander", "lu_factor": "tm.linalg.solve(a, b)"},
    "random": {
        "PRNGKey": "default_rng(seed)", "key": "default_rng(seed)",
        "split": "default_rng(seed): a generator moves on by itself", "shuffle": "x = permutation(x)",
        "RandomState": "default_rng(seed)",
    },
    "optim": {"swa_utils": "tm.optim.ASGD, which averages"},
}  # fmt: skip


class Elsewhere:
    """An attribute that Tensors do not have, under another library's name: asking for it says what to write."""

    def __init__(self, name: str, instead: str) -> None:
        self.name, self.instead = name, instead

    def __get__(self, tensor: Any, kind: Any = None) -> Any:
        raise AttributeError(f"'Tensor' object has no attribute {self.name!r}; here: {self.instead}", name=self.name)


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
