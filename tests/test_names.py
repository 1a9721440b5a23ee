"""Names that people bring along, and what the package shows of itself."""

import builtins
import inspect
import pickle
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.elsewhere import SAME, SAY
from tinygrad_math.core.tree import Structure

X = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])
ROOMS = [
    "data", "errors", "fft", "geometry", "linalg", "nn", "nn.functional", "nn.init", "nn.utils",
    "nn.utils.parametrizations", "nn.utils.parametrize", "optim",
    "optim.lr_scheduler", "optim.swa_utils", "random", "special", "stats", "testing", "train", "viz", "implicit",
    "integrate", "compiler", "inspect", "curvature", "distributed",
]  # fmt: skip


def _room(path):
    found = tm
    for part in filter(None, path.split(".")):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("place", SAME)
def test_a_name_from_elsewhere_that_means_the_same_is_ours(place):
    for name in SAME[place]:
        assert getattr(_room(place), name) is not None
        assert name not in dir(_room(place)) or not place  # one name is shown, the other works


@pytest.mark.parametrize("place", [p for p in SAY if p != "Tensor"])
def test_a_name_that_is_not_ours_says_what_to_write(place):
    for name, instead in SAY[place].items():
        with pytest.raises(AttributeError, match=rf"'{name}'; here: ") as caught:
            getattr(_room(place), name)
        assert str(caught.value).endswith(instead)
        assert not hasattr(_room(place), name)


def test_a_tensors_attribute_that_is_not_ours_says_what_to_write():
    x = tm.tensor(X)
    for name, instead in SAY["Tensor"].items():
        with pytest.raises(AttributeError, match=rf"'{name}'; here: ") as caught:
            getattr(x, name)
        assert str(caught.value).endswith(instead)
        assert not hasattr(tm.Tensor, name)


def test_what_is_advised_exists():
    """Each `tm.a.b` in the table's advice is there."""
    import re

    for names in SAY.values():
        for advice in names.values():
            for path in re.findall(r"tm\.([A-Za-z_][\w.]*\w)", advice):
                assert _room(path) is not None


# place, name, and PyTorch's value of it, for x and y of shape (2, 3) and positive a, b and w
ADVICE = [
    ("", "dist", "torch.dist(x, y)"), ("", "diag_embed", "torch.diag_embed(x)"),
    ("", "cummax", "torch.cummax(x, 0)[0]"),
    ("", "cartesian_prod", "torch.cartesian_prod(x[0], y[0])"), ("", "addcmul", "torch.addcmul(x, a, b, value=value)"),
    ("", "addcdiv", "torch.addcdiv(x, a, b, value=value)"), ("", "lerp", "torch.lerp(a, b, w)"),
    ("", "aminmax", "torch.aminmax(x)"), ("", "var_mean", "torch.var_mean(x, correction=0)"),
    ("", "polar", "torch.polar(a, b)"), ("", "complex", "torch.complex(a, b)"),
    ("", "cosine_similarity", "F.cosine_similarity(x, y)"),
    ("", "cdist", "torch.cdist(x, y)"), ("", "pairwise_distance", "torch.linalg.norm(x - y, dim=-1)"),
    ("", "sgn", "torch.sgn(x)"),
    ("", "combinations", "torch.combinations(x[0], 2)"), ("", "view_as_real", "torch.view_as_real(x + 0j)"),
    ("Tensor", "frac", "x.frac()"), ("Tensor", "fix", "x.fix()"),
    ("Tensor", "addcmul", "x.addcmul(a, b, value=value)"),
    ("Tensor", "lerp", "x.lerp(y, w)"), ("Tensor", "fmod", "x.fmod(y)"), ("Tensor", "rsqrt", "a.rsqrt()"),
]  # fmt: skip


@pytest.mark.parametrize("place, name, theirs", ADVICE)
def test_what_is_advised_gives_pytorchs_values(place, name, theirs):
    torch = pytest.importorskip("torch")
    import itertools

    y = np.array([[0.5, 1.5, -2.0], [1.0, -1.0, 2.5]])
    positive = {"a": abs(X), "b": abs(y), "w": np.abs(X - y) / 8}
    numbers = {"limit": 0.75, "value": 2.0, "margin": 0.5, "k": 2}
    advice = SAY[place][name]
    rows = name == "combinations" or name == "cartesian_prod"
    signs = "sign(y)" in theirs
    arrays = {"x": X[0] if rows else X, "y": y[0] if rows else np.sign(y) if signs else y, **positive}
    if name == "rsqrt":
        arrays["x"] = abs(X)
    if name == "view_as_real":
        arrays["x"] = X + 0j
    got = eval(
        advice, {"tm": tm, "np": np, "itertools": itertools, **numbers, **{k: tm.tensor(v) for k, v in arrays.items()}}
    )
    given = {"x": X, "y": y, **positive}
    names = {"torch": torch, "F": torch.nn.functional, **numbers, **{k: torch.tensor(v) for k, v in given.items()}}
    want = eval(theirs, names)
    for one, other in zip(got if isinstance(got, tuple) else [got], want if isinstance(want, tuple) else [want]):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-12)


def test_numpys_own_functions_are_named_where_we_have_none():
    with pytest.raises(AttributeError, match=r"np\.intersect1d: NumPy's own takes Tensors"):
        tm.intersect1d  # noqa: B018
    assert tm.errstate is np.errstate
    with pytest.raises(AttributeError, match=r"no attribute 'nonsense'$"):
        tm.nonsense  # noqa: B018


TORCH = {
    "clamp": lambda x: x.clamp(min=0.0), "clamp both": lambda x: x.clamp(-1.0, 1.0), "eq": lambda x: x.eq(3.0),
    "comparisons": lambda x: x.gt(0) & x.le(4.0) | x.ge(9) & x.lt(99) & x.ne(1.0),
    "masked_fill": lambda x: x.masked_fill(x > 0, 7.0), "view_as": lambda x: x.view_as(x.t()),
    "index_select": lambda x: x.index_select(1, x.argmax(1)), "contiguous": lambda x: x.contiguous(),
    "repeat_interleave": lambda x: x.repeat_interleave(2, 1), "tile": lambda x: x.tile(2, 1),
    "tile 1": lambda x: x.tile((2,)),
    "expand_as": lambda x: x[:1].expand_as(x), "amax": lambda x: x.amax(1), "amin": lambda x: x.amin(0),
    "logsumexp": lambda x: x.logsumexp(1), "erf": lambda x: x.erf(), "det": lambda x: x[:, :2].det(),
    "inverse": lambda x: x[:, :2].inverse(), "int": lambda x: x.int(), "bool": lambda x: (x > 9).bool(),
    "half": lambda x: x.half(), "to": lambda x: x.to("cpu"), "type_as": lambda x: x.type_as(x.half()),
    "gather": lambda x: x.gather(1, (x[:, :1] > 0).long()), "nelement": lambda x: x.nelement(),
    "isclose": lambda x: x.isclose(x + 1e-9), "allclose": lambda x: x.allclose(x),
}  # fmt: skip


@pytest.mark.parametrize("name", TORCH)
def test_pytorchs_methods_give_pytorchs_values(name):
    torch = pytest.importorskip("torch")
    got, want = TORCH[name](tm.tensor(X)), TORCH[name](torch.tensor(X))
    got = got.numpy() if isinstance(got, tm.Tensor) else np.asarray(got)
    want = want.numpy() if isinstance(want, torch.Tensor) else np.asarray(want)
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-13)


def test_another_device_is_refused_by_name():
    x = tm.tensor(X)
    assert x.to("cpu") is x
    assert x.to(tm.float32).dtype == np.float32
    for device in ("cuda", "cuda:0", "mps"):
        with pytest.raises(tm.DTypeError, match="the one device"):
            x.to(device)


# -- what is shown ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("room", ["", *ROOMS])
def test_dir_shows_what_is_public_and_nothing_else(room):
    module = _room(room)
    names = [n for n in dir(module) if n != "__version__"]
    assert names == sorted(set(names))
    for name in names:
        assert not name.startswith("_")
        thing = getattr(module, name)
        home = getattr(thing, "__module__", None) or getattr(thing, "__name__", "tinygrad_math")
        ours = str(home).partition(".")[0] == "tinygrad_math"
        assert ours or isinstance(thing, (float, np.ufunc, type(None))) or thing in _DTYPES or _is_op(thing), name
        if inspect.ismodule(thing):
            assert f"{room}.{name}".lstrip(".") in ROOMS


_DTYPES = {*(np.dtype(c).type for c in "?bhilqBHILQefdgFDG"), np.dtype("int32").type}


def _is_op(thing):
    return isinstance(thing, tm.core.op.Op)


def test_a_star_import_shadows_nothing_of_pythons():
    namespace = {}
    exec("from tinygrad_math import *", namespace)
    taken = {n for n in namespace if hasattr(builtins, n) and not n.startswith("__")}
    assert taken == set()
    assert {"sin", "tensor", "grad", "nn", "linalg", "ShapeError"} <= namespace.keys()
    assert "os" not in namespace


def test_the_version_is_told():
    from importlib import metadata

    assert tm.__version__.count(".") == 2
    try:
        installed = metadata.version("tinygrad_math")
    except metadata.PackageNotFoundError:
        return
    assert tm.__version__ == installed


def test_no_name_costs_anything_at_import():
    code = "import sys, tinygrad_math as tm; dir(tm); tm.cat; tm.errstate; print('scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


# -- trees, and autograd's transforms ----------------------------------------------------------------------------
TREE = {"w": np.array([[1.0, 2.0]]), "b": [np.float32(3.0), np.array([4, 5])]}


def test_a_tree_is_taken_apart_and_put_together():
    leaves, structure = tm.tree_flatten(TREE)
    assert isinstance(structure, Structure)
    assert structure == tm.tree_structure(tm.tree_unflatten(structure, leaves))
    assert [np.shape(leaf) for leaf in tm.tree_leaves(TREE)] == [(1, 2), (), (2,)]
    with pytest.raises(tm.ShapeError, match="3 leaves"):
        tm.tree_unflatten(structure, leaves[:2])
    with pytest.raises(tm.ArgumentError, match="tree_flatten"):
        tm.tree_unflatten(TREE, leaves)


def test_a_tree_as_a_vector_and_back_is_itself_and_differentiable():
    vector, unravel = tm.ravel_tree(TREE)
    assert vector.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    back = unravel(vector)
    assert back["b"][0].dtype == np.float32
    assert unravel(vector * 1.5)["b"][1].tolist() == [6.0, 7.5]
    loss = lambda v: (unravel(v)["w"] ** 2).sum() + unravel(v)["b"][0]  # noqa: E731
    np.testing.assert_allclose(tm.grad(loss)(vector).numpy(), [2.0, 4.0, 1.0, 0.0, 0.0])
    assert tm.grad(lambda t: tm.ravel_tree(t)[0].sum())({"w": X})["w"].tolist() == np.ones_like(X).tolist()
    with pytest.raises(tm.ShapeError, match="5 numbers"):
        unravel(np.ones(4))
    with pytest.raises(tm.DTypeError, match="imaginary"):
        unravel(np.ones(5) * 1j)
    assert tm.ravel_tree({})[0].shape == (0,)
    mixed, again = tm.ravel_tree({"r": np.ones(1), "c": np.ones(1) * 1j})
    assert again(mixed)["r"].dtype == np.float64


def test_autograds_transforms_have_autograds_values():
    autograd = pytest.importorskip("autograd")
    f = lambda xp: lambda a, x: a * xp.sin(x) ** 2  # noqa: E731
    ours, theirs = tm.elementwise_grad(f(tm), 1)(2.0, X), autograd.elementwise_grad(f(autograd.numpy), 1)(2.0, X)
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-14)
    g = lambda xp: lambda x: xp.sum(xp.sin(x) ** 2) * x[0, 0]  # noqa: E731
    ours = tm.hessian_vector_product(g(tm))(X, X)
    np.testing.assert_allclose(ours.numpy(), autograd.hessian_vector_product(g(autograd.numpy))(X, X), rtol=1e-12)


def test_autograds_further_names_have_their_meaning():
    curve = lambda t: tm.stack([t**2, tm.sin(t)])  # noqa: E731
    np.testing.assert_allclose(tm.deriv(curve)(2.0).numpy(), [4.0, np.cos(2.0)], rtol=1e-15)
    np.testing.assert_allclose(tm.holomorphic_grad(tm.sin)(1 + 2j).item(), np.cos(1 + 2j), rtol=1e-14)
    assert tm.grad_named(lambda x, w: x * w**2, "w")(2.0, 3.0).item() == 12.0
    np.testing.assert_array_equal(tm.hessian_tensor_product(lambda x: (x**3).sum())(X, X).numpy(), 6 * X * X)
    for name in ("make_jvp_reversemode", "multigrad_dict", "getval"):
        with pytest.raises(AttributeError, match="here: "):
            getattr(tm, name)
    for f in (tm.deriv(curve), tm.holomorphic_grad(tm.sin), tm.grad_named(square_of, "w")):
        assert "of" in repr(f)
    assert pickle.loads(pickle.dumps(tm.deriv(square_of)))(3.0).item() == 6.0


def test_a_name_that_numpy_once_had_works_and_what_autograd_adds_says_what_to_write():
    np.testing.assert_array_equal(tm.row_stack([X[0], X[1]]).numpy(), np.vstack([X[0], X[1]]))
    assert tm.dtype("float32") == tm.float32
    with pytest.raises(AttributeError, match=r"x\[\.\.\., None\] \* tm\.eye"):
        _ = tm.make_diagonal


def square_of(w):
    return w * w


def _logsumexp(x):
    high = np.max(x)
    return high + np.log(np.sum(np.exp(x - high)))


def test_a_primitive_takes_its_rules_in_autograds_way():
    f, hypot = tm.primitive(_logsumexp), tm.primitive(lambda a, b: np.sqrt(a * a + b * b))
    tm.defvjp(f, lambda y, x: lambda g: tm.full(x.shape, g) * np.exp(x - tm.full(x.shape, y)))
    tm.defvjp(hypot, lambda y, a, b: lambda g: g * b / y, argnums=(1,))
    tm.defjvp(hypot, lambda t, y, a, b: t * a / y, lambda t, y, a, b: t * b / y)
    soft = np.exp(X[0]) / np.exp(X[0]).sum()
    np.testing.assert_allclose(tm.grad(f)(X[0]).numpy(), soft, rtol=1e-13)
    np.testing.assert_allclose(tm.jacrev(tm.grad(f))(X[0]).numpy(), np.diag(soft) - np.outer(soft, soft), atol=1e-13)
    assert [g.item() for g in tm.grad(hypot, (0, 1))(3.0, 4.0)] == [0.0, 0.8]
    assert tm.jvp(hypot, (3.0, 4.0), (1.0, 1.0))[1].item() == pytest.approx(1.4)
    with pytest.raises(tm.ArgumentError, match="has 1"):
        tm.defvjp(f, lambda y, x: None, lambda y, x: None)
    with pytest.raises(tm.ArgumentError, match="2 rules"):
        tm.defvjp(hypot, lambda y, a, b: None, lambda y, a, b: None, argnums=(1,))
    for define in (tm.defvjp, tm.defjvp):
        with pytest.raises(tm.ArgumentError, match=r"tm\.primitive"):
            define(np.sin, lambda y, x: lambda g: g)


def test_gradients_are_checked_in_autograds_way():
    assert tm.check_grads is tm.testing.check_grads
    assert tm.check_grads(lambda x: (x**3).sum(), modes=["rev"])(X) is None
    wrong = tm.primitive(lambda x: x * x).defvjp(lambda g, y, x: g * x)
    with pytest.raises(AssertionError, match="reverse mode"):
        tm.check_grads(wrong, modes=["rev"], order=1)(X)


def test_autograds_word_for_the_argument_is_understood():
    f = lambda a, b: (a * b**2).sum()  # noqa: E731
    for transform in (tm.grad, tm.jacobian, tm.hessian):
        assert transform(f, argnum=1)(2.0, 3.0).item() == transform(f, argnums=1)(2.0, 3.0).item()
    assert tm.value_and_grad(f, argnum=1)(2.0, 3.0)[1].item() == 12.0
    with pytest.raises(tm.ArgumentError, match="argnumm"):
        tm.grad(f, argnumm=1)


def test_random_arrays_are_made_under_their_usual_names():
    tm.manual_seed(3)
    a, b = tm.randn(2, 3), tm.rand(4)
    assert (a.shape, b.shape) == ((2, 3), (4,))
    tm.random.seed(3)
    np.testing.assert_array_equal(tm.random.randn(2, 3).numpy(), a.numpy())
    assert tm.randn().shape == ()


def test_second_derivatives_of_a_result_of_one_element_are_those_of_the_number():
    f = lambda x: tm.concat([(x**3).sum()[None]])  # noqa: E731
    assert tm.hvp(f, np.ones(2), np.ones(2)).tolist() == [6.0, 6.0]
    assert tm.hessian(f)(np.ones(2)).tolist() == [[6.0, 0.0], [0.0, 6.0]]
