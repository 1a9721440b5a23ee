"""Vector kernels of our own: within 2 units in the last place, exact where a function is, the same at every place."""

import ctypes
import platform
import subprocess
import sys
import threading

import mpmath as mp
import numpy as np
import pytest
import scipy.special

from tinygrad_math.compiler.native import kernels
from tinygrad_math.compiler.native.kernels import choice

pytest.importorskip("llvmlite", reason="kernels are made by llvmlite")
if kernels.loop("exp", np.dtype(np.float64)) is None:
    pytest.skip("no fused multiply-add, or an llvmlite before 0.45", allow_module_level=True)

DTYPES = ["float64", "float32"]
CASES = [pytest.param(name, dtype, id=f"{name}-{dtype}") for name in kernels.NAMES for dtype in DTYPES]
# units in the last place, a little above what was found; 2 are promised
BOUND = {
    "cos": (0.85, 1.55),
    "erf": (1.15, 1.2),
    "exp": (1.1, 1.1),
    "expit": (1.45, 1.55),
    "expm1": (1.25, 1.4),
    "log": (0.8, 0.85),
    "log1p": (0.8, 0.85),
    "sin": (0.85, 1.55),
    "softplus": (1.3, 1.35),
    "tanh": (1.3, 2.0),
}
REFERENCE = {
    "cos": mp.cos,
    "erf": mp.erf,
    "exp": mp.exp,
    "expit": lambda x: 1 / (1 + mp.exp(-x)),
    "expm1": mp.expm1,
    "log": mp.log,
    "log1p": mp.log1p,
    "sin": mp.sin,
    "softplus": lambda x: mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x)),
    "tanh": mp.tanh,
}
IN_DOUBLE = {
    "erf": scipy.special.erf,
    "expit": scipy.special.expit,
    "softplus": lambda x: np.logaddexp(x, 0.0),
}
# between these a result is neither 0 nor infinite nor a constant
INTEREST = {
    "cos": (-100, 100),
    "erf": (-6.5, 6.5),
    "exp": (-746, 710),
    "expit": (-746, 50),
    "expm1": (-50, 710),
    "log": (0, 100),
    "log1p": (-1, 100),
    "sin": (-100, 100),
    "softplus": (-746, 100),
    "tanh": (-25, 25),
}


def run(name, x, out=None):
    """Our loop over an array of one dimension, whatever its strides."""
    out = np.empty(x.shape, x.dtype) if out is None else out
    choice.call_of(kernels.loop(name, x.dtype), x, out)()
    return out


def arguments(name, dtype, n, seed=0):
    """n points in each of some regions: all binades, where the result changes, near 0, near the multiples of pi / 2."""
    rng, info = np.random.default_rng(seed), np.finfo(dtype)
    low, high = INTEREST[name]
    if dtype == "float32":
        low, high = max(low, -104), min(high, 88.7)
    signs = rng.choice([-1.0, 1.0], n)
    regions = [
        rng.uniform(low, high, n),
        rng.uniform(max(low, -3), min(high, 3), n),
        2.0 ** rng.uniform(info.minexp - info.nmant, info.maxexp, n) * signs,
        2.0 ** rng.uniform(-20, 10, n) * signs,
    ]
    if name in ("sin", "cos"):
        regions.append(np.rint(2.0 ** rng.uniform(0, 100, n)) * (np.pi / 2))
    if name in ("log", "log1p"):
        regions.append((name == "log") + rng.normal(size=n) * 2.0 ** rng.uniform(-30, 0, n))
    with np.errstate(over="ignore"):
        x = np.concatenate(regions).astype(dtype)
    x = np.abs(x) if name == "log" else x[x > -1] if name == "log1p" else x
    return x[np.isfinite(x) & ((x > 0) | (name != "log"))]


def error(name, x, y):
    """|y - f(x)| in units in the last place of f(x), one for each point."""
    found = np.empty(x.size)
    with mp.workprec(120), np.errstate(over="ignore"):
        for k, (a, b) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
            exact = REFERENCE[name](mp.mpf(a))
            rounded = x.dtype.type(float(exact))
            if np.isinf(rounded) or np.isinf(b):
                found[k] = 0 if b == rounded else np.inf
            else:
                found[k] = abs(mp.mpf(b) - exact) / mp.mpf(float(np.spacing(abs(rounded))))
    return found


def check(name, dtype, n, seed=0):
    x = arguments(name, dtype, n, seed)
    errors = error(name, x, run(name, x))
    worst = np.argmax(errors)
    assert errors[worst] < BOUND[name][dtype == "float32"], (
        f"{name}({x[worst]!r}): {errors[worst]:.3f} units in the last place"
    )
    assert x.size >= 3 * n


@pytest.mark.parametrize("name, dtype", CASES)
def test_a_kernel_is_right_to_less_than_two_units_in_the_last_place(name, dtype):
    check(name, dtype, 800)


@pytest.mark.long
@pytest.mark.parametrize("name, dtype", CASES)
def test_a_kernel_is_right_at_a_hundred_thousand_places(name, dtype):
    check(name, dtype, 30_000, seed=1)


@pytest.mark.parametrize("name", kernels.NAMES)
def test_single_precision_is_right_along_all_of_its_numbers(name):
    """Every 4,001st float32 there is, beside NumPy and SciPy in double precision."""
    x = np.arange(0, 1 << 32, 4001, dtype=np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        exact = IN_DOUBLE.get(name, getattr(np, name, None))(x.astype(np.float64))
        rounded = exact.astype(np.float32)
        y = run(name, x)
        finite = np.isfinite(rounded)
        assert np.array_equal(y[~finite], rounded[~finite], equal_nan=True)
        errors = np.abs(y[finite] - exact[finite]) / np.spacing(np.abs(rounded[finite]))
    assert errors.max() < BOUND[name][1], f"{x[finite][errors.argmax()]!r}"


# what a function is at zeros, infinities and NaN: C's standard, Annex F, and limits
INFINITY, NOTHING = np.inf, np.nan
AT = {
    "cos": (1.0, 1.0, NOTHING, NOTHING),
    "erf": (0.0, -0.0, 1.0, -1.0),
    "exp": (1.0, 1.0, INFINITY, 0.0),
    "expit": (0.5, 0.5, 1.0, 0.0),
    "expm1": (0.0, -0.0, INFINITY, -1.0),
    "log": (-INFINITY, -INFINITY, INFINITY, NOTHING),
    "log1p": (0.0, -0.0, INFINITY, NOTHING),
    "sin": (0.0, -0.0, NOTHING, NOTHING),
    "softplus": (None, None, INFINITY, 0.0),  # log(2) at zeros
    "tanh": (0.0, -0.0, 1.0, -1.0),
}


@pytest.mark.parametrize("name, dtype", CASES)
def test_zeros_infinities_and_nan_give_what_the_standard_says(name, dtype):
    y = run(name, np.array([0.0, -0.0, np.inf, -np.inf, np.nan], dtype))
    assert np.isnan(y[4])
    for got, wanted in zip(y, AT[name], strict=False):
        if wanted is not None:
            assert np.array_equal(got, wanted, equal_nan=True)
            assert np.isnan(wanted) or np.signbit(got) == np.signbit(wanted)


@pytest.mark.parametrize("dtype", DTYPES)
def test_exact_results_are_exact(dtype):
    tiny, largest = np.finfo(dtype).smallest_subnormal, np.finfo(dtype).max
    for name in ("expm1", "log1p", "sin", "tanh"):  # x itself, as x - f(x) is of second order at least
        x = np.array([tiny, -tiny, 3 * tiny, np.finfo(dtype).tiny, -1e-30], dtype)
        assert np.array_equal(run(name, x), x)
    assert run("cos", np.array([tiny, 1e-30], dtype)).tolist() == [1.0, 1.0]
    assert run("log", np.array([1.0], dtype)).tolist() == [0.0]
    assert run("expit", np.array([largest], dtype)).tolist() == [1.0]
    ends = np.array([largest, -largest], dtype)
    for name in ("tanh", "erf"):
        assert run(name, ends).tolist() == [1.0, -1.0]
    assert run("exp", ends).tolist() == [np.inf, 0.0]
    assert run("expm1", ends).tolist() == [np.inf, -1.0]
    assert run("softplus", ends).tolist() == [largest, 0.0]
    assert run("log1p", np.array([-1.0], dtype)).tolist() == [-np.inf]
    assert np.isnan(run("log1p", np.array([-1.5, -largest], dtype))).all()
    assert np.isnan(run("log", np.array([-tiny, -largest], dtype))).all()


def test_exp_ends_where_the_numbers_end():
    largest, least = (
        709.782712893384,
        -745.1332191019411,
    )  # the last arguments with a finite result, and with one above 0
    x = np.array([largest, np.nextafter(largest, np.inf), least, np.nextafter(least, -np.inf), -708.5])
    y = run("exp", x)
    assert y[0] == pytest.approx(1.797693134862273e308)
    assert y[1] == np.inf
    assert y[2] == 5e-324
    assert y[3] == 0
    assert y[4] == float(mp.exp(mp.mpf(-708.5)))  # subnormal
    x = np.array([88.72283, 88.72284, -103.97207, -103.97209], np.float32)
    y = run("exp", x)
    assert np.isfinite(y[0])
    assert y[1] == np.inf
    assert y[2] == np.float32(1e-45)
    assert y[3] == 0


def test_sin_and_cos_of_huge_numbers():
    """Muller's number, the double next to a multiple of pi / 2 (Elementary Functions, ch. 11), and the largest."""
    x = np.array(
        [6381956970095103 * 2.0**797, np.finfo(float).max, 2.0**1000, 1e22, -1e22, 2.0**28, np.nextafter(2.0**28, 0)]
    )
    with mp.workprec(1300):
        for name in ("sin", "cos"):
            exact = [float(REFERENCE[name](mp.mpf(v))) for v in x.tolist()]
            assert np.abs(run(name, x) - exact).max() <= np.spacing(1.0) / 2
            np.testing.assert_allclose(run(name, x), exact, rtol=2.3e-16)


def laid_out(x):
    """The same numbers with other strides: apart, backwards, at odd bytes."""
    n = x.size
    apart = np.empty(3 * n + 1, x.dtype)[: 3 * n : 3]
    odd = np.empty(n * x.itemsize + 1, np.uint8)[1:].view(x.dtype)
    records = np.empty(n, [("a", "u1"), ("x", x.dtype)])["x"]
    made = [apart, np.empty(n, x.dtype)[::-1], odd, records]
    for y in made:
        y[...] = x
    return made


@pytest.mark.parametrize("name, dtype", CASES)
def test_a_number_has_one_result_wherever_it_lies(name, dtype):
    """All sizes up to several blocks, with tails; other strides of input and output; the bits of each number alone."""
    x = arguments(name, dtype, 60, seed=2)
    x[::17] = np.resize([np.nan, np.inf, -0.0, 1e30, -np.inf, 1.0], x[::17].size)  # a large one changes none beside it
    alone = np.concatenate([run(name, x[k : k + 1]) for k in range(x.size)])
    assert np.array_equal(alone, run(name, x), equal_nan=True)
    for n in range(140):
        guarded = np.full(n + 2, 7, dtype)
        run(name, x[:n], guarded[1 : n + 1])
        assert np.array_equal(guarded[1 : n + 1], alone[:n], equal_nan=True)
        assert guarded[0] == guarded[-1] == 7
    for given in laid_out(x):
        assert np.array_equal(run(name, given), alone, equal_nan=True)
        for out in laid_out(x):
            assert np.array_equal(run(name, given, out), alone, equal_nan=True)


@pytest.mark.parametrize("name, dtype", CASES)
def test_a_kernel_may_write_over_its_input(name, dtype):
    x = arguments(name, dtype, 60, seed=3)
    wanted = run(name, x)
    for given in [x.copy(), *laid_out(x)]:
        assert np.array_equal(run(name, given, given), wanted)


@pytest.mark.parametrize("name, dtype", CASES)
def test_a_stride_of_zero_repeats_a_number(name, dtype):
    one = np.array([0.7], dtype)
    assert np.array_equal(run(name, np.broadcast_to(one, 37)), np.repeat(run(name, one), 37))


def test_nothing_is_written_between_the_numbers_of_an_output():
    for dtype in DTYPES:
        out = np.full(100, 7, dtype)
        run("exp", np.zeros(33, dtype), out[1:100:3])
        assert (out[1:100:3] == 1).all()
        assert (np.delete(out, np.arange(1, 100, 3)) == 7).all()


def test_flags_that_a_kernel_raises_reach_no_call_of_numpy():
    run("exp", np.array([1e4, -1e4, np.nan, 1.0]))
    run("log", np.array([0.0, -1.0]))
    with np.errstate(all="raise"):
        assert np.add(np.ones(3), 1.0).tolist() == [2.0] * 3


def test_threads_share_a_kernel(monkeypatch):
    """Eight of them ask for one that has not been made yet, and run it at once."""
    monkeypatch.setattr(choice, "_loops", {})
    monkeypatch.setattr(choice, "_chosen", {})
    x = np.linspace(-5, 5, 10_001)
    results, start = [], threading.Barrier(8)

    def work():
        start.wait()
        chosen = kernels.kernel("tanh", x.dtype)
        results.extend((chosen, run("tanh", x).tobytes()) for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(results) == 160
    assert len(set(results)) == 1


def test_the_faster_loop_is_taken(monkeypatch):
    double = np.dtype(float)
    monkeypatch.setattr(choice, "_chosen", {})
    monkeypatch.setattr(choice, "nanoseconds", lambda *a: (1.0, 3.0))
    assert kernels.kernel("exp", double) == kernels.loop("exp", double)
    monkeypatch.setattr(choice, "nanoseconds", lambda *a: (3.0, 1.0))
    assert kernels.kernel("log", double) is None
    assert kernels.kernel("exp", double)  # it is chosen once


def test_there_is_no_kernel_for_anything_else(monkeypatch):
    monkeypatch.setattr(choice, "nanoseconds", lambda *a: (1.0, 3.0))
    monkeypatch.setattr(choice, "_chosen", {})
    assert kernels.kernel("exp", np.dtype(float))
    for dtype in (np.float16, np.complex128, np.int64, np.longdouble, np.dtype(">f8")):
        assert kernels.kernel("exp", np.dtype(dtype)) is None
    assert kernels.kernel("gamma", np.dtype(float)) is None
    monkeypatch.setattr(choice, "is_possible", lambda: False)
    monkeypatch.setattr(choice, "_chosen", {})
    assert kernels.kernel("exp", np.dtype(float)) is None


def test_asking_for_names_loads_no_llvm():
    code = "import sys, tinygrad_math.compiler.native.kernels; print('llvmlite' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="code for x86")
@pytest.mark.parametrize("name, dtype", CASES)
def test_code_for_avx2_has_its_vectors_and_the_same_results(name, dtype):
    """Another width of blocks changes no bit; nothing is left to be computed number by number."""
    from tinygrad_math.compiler.native.kernels.assembled import assemble

    made = assemble(name, dtype, cpu="haswell", keep=True)
    x = arguments(name, dtype, 50, seed=4)
    out = np.empty_like(x)
    choice.call_of(made.address, x, out)()
    assert np.array_equal(out, run(name, x))
    end = "pd" if dtype == "float64" else "ps"
    assert "%zmm" not in made.assembly
    assert f"vfmadd213{end}\t" in made.assembly
    called = [line for line in made.assembly.splitlines() if "call" in line.split("#")[0]]
    assert not called or name in ("sin", "cos")


@pytest.mark.parametrize("name, dtype", CASES)
def test_code_for_arm_calls_no_library(name, dtype):
    """The same formulas for another processor: what it has no instruction for would be called from the C library."""
    from llvmlite import binding, ir

    from tinygrad_math.compiler.native.kernels import assembled

    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    module = ir.Module(name)
    module.triple = "aarch64-unknown-linux-gnu"
    assembled.write_loop(module, name, assembled.FORMULAS[name], assembled.FORMATS[dtype], 64)
    machine = binding.Target.from_triple(module.triple).create_target_machine(cpu="neoverse-n1")
    lines = machine.emit_assembly(binding.parse_assembly(str(module))).splitlines()
    called = {line.split()[1] for line in lines if line.split()[:1] == ["bl"]}
    assert called == ({"reduce"} if name in ("sin", "cos") else set())
    assert any("fmla" in line for line in lines)


def test_the_table_of_two_over_pi_holds_its_digits():
    from tinygrad_math.compiler.native.kernels.coefficients import DIGITS

    with mp.workprec(2000):
        whole = int(mp.floor(2 / mp.pi * mp.mpf(2) ** (64 * (len(DIGITS) - 1))))
    assert [whole >> 64 * k & (1 << 64) - 1 for k in range(len(DIGITS))] == list(DIGITS)[::-1]


def test_the_interface_is_that_of_a_ufunc():
    """The loop takes the counts and strides from memory as NumPy hands them over, `data` unused."""
    x, out = np.linspace(0, 1, 5), np.zeros(5)
    f = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4)(kernels.loop("exp", x.dtype))
    places = np.array([x.ctypes.data, out.ctypes.data], np.uintp)
    n, steps = np.array([5], np.intp), np.array([8, 8], np.intp)
    f(places.ctypes.data, n.ctypes.data, steps.ctypes.data, None)
    np.testing.assert_allclose(out, np.exp(x), rtol=3e-16)
