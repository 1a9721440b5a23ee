"""Other packages on our tensors: what each call gives for a constant, and for what is being differentiated.

    python tests/bench/other_software.py [--verbose] [--without] [package ...]

Run it in an environment of its own, with as many of the packages as are wanted: those that are missing are said to be.
Each call is made of an array, of a constant Tensor, and within `tm.grad`; the gradient is compared with central
differences along random directions. SciPy reads SCIPY_ARRAY_API when it is imported, so all of it runs twice, without
and with it, and what is written for NumPy's arrays alone a third time through `tm.lift`; each package runs in a process
of its own. The last table counts a call as right if it is in one of the three ways, and as bad if it is in any.

right: value and gradient; refused: the value is right, and the gradient is refused by a named error; error: no value,
and an error that names us or is a TypeError of theirs; DROPPED: a gradient of zeros where there is one; WRONG: another
value or another gradient; BARE: a bare error from our own code. An example of each package's is in the tables.

Measured with NumPy 2.4.6, SciPy 1.17.1, scikit-learn 1.9.1 and pandas 2.3.3: without SCIPY_ARRAY_API 1,596 of 3,293 calls
right, 1,614 refused, 83 errors. Without it and through `tm.lift`: linalg 8 and 74 of 83 right, signal 7 and 51 of 56,
ndimage 5 and 41 of 43, interpolate 0 and 23 of 33, integrate 4 and 21 of 23, spatial 4 and 30 of 38, stats 3 and 102 of
115, special 165 and 166 of 181, distributions 0 and 446 of 453, scikit-learn 38 and 103 of 203, statsmodels 2 and 27 of
32, scikit-image 13 and 39 of 42. In one of the three ways at least 2,517 of all 3,300 calls are right, and none is
wrong, dropped or bare.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import traceback
import warnings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import software_further
import software_made
import software_science

import tinygrad_math as tm

X = np.random.default_rng(0).uniform(0.2, 0.9, (6, 4))
KINDS = ("right", "refused", "error", "DROPPED", "WRONG", "BARE")
BAD = ("DROPPED", "WRONG", "BARE")
SECONDS = 40  # a call's


def fixed():
    """What an expression finds beside the array it is given: arrays that stay arrays."""
    s = X[:4] @ X[:4].T + 3 * np.eye(4)
    labels = np.array([0, 1, 0, 1, 0, 1])
    return {
        "np": np,
        "X": X,
        "V": X[0].copy(),
        "N": np.arange(6.0),
        "S": s,
        "L": labels,
        "L46": np.tile(labels[:, None], (1, 4)),
    }


def given(x):
    """What is made of the array: rows, columns, a positive definite matrix, a number."""
    s = x[:4] @ x[:4].T + 3 * np.eye(4)
    return {"x": x, "u": x[0], "w": x[1], "p": x[:, 0], "q": x[:, 1], "s": s, "c": x[0, 0]}


def calls_of(package):
    """Pairs of a name and a function of an array; raises ImportError where the package is not here."""
    if package in software_made.MAKERS:
        yield from software_made.MAKERS[package]()
    for tables in (software_science.CALLS, software_further.CALLS):
        if package not in tables:
            continue
        setup, text = tables[package]
        names = fixed()
        exec(setup, names)
        for expression in " ".join(text.split()).split(" | "):
            code = compile(expression.strip(" |"), f"<{package}>", "eval")
            yield expression, lambda x, code=code, names=names: eval(code, {**viewed(names, x), **given(x)})


def viewed(names, x):
    """The names that a package's calls use, through `tm.lift` where that is asked for and x is a Tensor."""
    if "lift" not in software_made.WAYS or not isinstance(x, tm.Tensor):
        return names
    return {k: v if k in fixed() or k.startswith("__") else software_made.seen(v, x) for k, v in names.items()}


def numbers(out):
    """The numbers of a result, whatever holds them."""
    if isinstance(out, tm.Tensor):
        return [out] if out.dtype.kind in "biufc" else []
    if isinstance(out, (list, tuple)):
        return [n for part in out for n in numbers(part)]
    if isinstance(out, dict):
        return [n for part in out.values() for n in numbers(part)]
    if isinstance(out, (str, bytes)):
        return [np.array(hash_of(out))]
    if hasattr(out, "data_vars"):  # a Dataset of xarray's
        return numbers([out[name] for name in out.data_vars])
    for name in ("magnitude", "statistic", "data", "values", "nominal_value"):  # pint, scipy.stats, xarray, a Dataset
        if hasattr(out, name) and not isinstance(out, (np.ndarray, np.generic)):
            inner = getattr(out, name)
            return numbers(inner() if callable(inner) else inner)
    array = np.asarray(out)
    if array.dtype == object and array.shape and any(isinstance(v, tm.Tensor) for v in array.flat):
        return [tm.stack([tm.asarray(v) for v in array.flat]).reshape(array.shape)]  # as a column of objects
    return [array] if array.dtype.kind in "biufc" else []


def hash_of(text):
    return (
        sum((k + 1) * ord(ch) for k, ch in enumerate(text if isinstance(text, str) else text.decode("latin1"))) % 2**31
    )


def total(out):
    """One number that every floating number of a result moves."""
    parts = [p for p in numbers(out) if p.dtype.kind in "fc"]
    parts = [p for p in parts if p.size]
    sums = []
    for p in parts:
        weights = np.arange(1.0, p.size + 1).reshape(p.shape)
        sums.append((np.real(p) * weights).sum() + ((np.imag(p) * weights).sum() if p.dtype.kind == "c" else 0.0))
    return sum(sums[1:], sums[0]) if sums else None


def seeded(f, x):
    np.random.seed(0)
    random.seed(0)
    return f(x)


def slopes(f, x, ways):
    """Central differences of the total, with a step for the precision of the result."""
    h = 1e-2 if any(n.dtype == np.float32 for n in numbers(seeded(f, x))) else 1e-6
    return np.array([(total(seeded(f, x + h * d)) - total(seeded(f, x - h * d))) / (2 * h) for d in ways])


def bare(error):
    """Whether an error that is none of ours arose within our own code."""
    if isinstance(error, tm.MathError):
        return False
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if f"{os.sep}tinygrad_math{os.sep}" in f.filename]
    return (
        bool(ours) and frames[-1].filename == ours[-1].filename and not isinstance(error, (IndexError, AttributeError))
    )


def judged(f, x):
    """One of KINDS, and words about it; None where not even an array is taken."""
    try:
        want = [np.asarray(n) for n in numbers(seeded(f, x.copy()))]
        again = [np.asarray(n) for n in numbers(seeded(f, x.copy()))]
    except Exception as error:
        return None, f"not even of an array: {type(error).__name__}: {error}"
    if len(want) != len(again) or not all(
        np.array_equal(a, b, equal_nan=a.dtype.kind in "fc") for a, b in zip(want, again)
    ):
        return None, "another value each time"
    try:
        got = [
            n.detach().numpy() if isinstance(n, tm.Tensor) else np.asarray(n) for n in numbers(seeded(f, tm.tensor(x)))
        ]
    except Exception as error:
        return ("BARE" if bare(error) else "error"), f"{type(error).__name__}: {error}"
    if len(got) != len(want) or not all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True) for a, b in zip(got, want)
    ):
        return "WRONG", f"value {[str(a)[:40] for a in got[:1]]}, not {[str(a)[:40] for a in want[:1]]}"
    if total(want) is None:
        return "right", "no floating numbers"
    ways = np.random.default_rng(1).normal(size=(2, *x.shape))
    try:
        expected = slopes(f, x, ways)
    except Exception as error:
        return "right", f"no differences: {error}"
    try:
        gradient = tm.grad(lambda t: total(seeded(f, t)) + 0.0 * t.sum())(x).numpy()
    except Exception as error:
        return ("BARE" if bare(error) else "refused"), f"gradient: {type(error).__name__}: {error}"
    along = (ways * gradient).sum((1, 2))
    if np.allclose(
        along,
        expected,
        rtol=1e-3,
        atol=1e-4 * max(1.0, np.abs(expected[np.isfinite(expected)]).max(initial=0.0)),
        equal_nan=True,
    ):
        return "right", ""
    if np.isnan(gradient).any() or not np.isfinite(expected).all():
        return "refused", "the gradient is NaN: 0 times an infinite slope at what is overwritten"
    return ("DROPPED" if not gradient.any() else "WRONG"), f"slopes {along}, not {expected}"


class TooLong(Exception):
    pass


def out_of_time(*_):
    raise TooLong(f"more than {SECONDS} s")


def table_of(package, verbose):
    """The counts of a package, printed with what went badly."""
    counts, notes, unusable, all_of_them = dict.fromkeys(KINDS, 0), [], [], {}
    signal.signal(signal.SIGALRM, out_of_time)
    try:
        calls = list(calls_of(package))
    except Exception as error:
        print(f"{package:18}  not here: {type(error).__name__}: {str(error)[:90]}", flush=True)
        return
    for name, f in calls:
        signal.alarm(SECONDS)
        try:
            kind, words = judged(f, X)
        except TooLong as error:
            kind, words = None, str(error)
        finally:
            signal.alarm(0)
        if kind is None:
            unusable.append(f"    {'-':8} {name}: {words[:120]}")
            continue
        counts[kind] += 1
        all_of_them[name] = kind
        if kind in BAD or (verbose and kind != "right"):
            notes.append(f"    {kind:8} {name}: {' '.join(words.split())[:170]}")
    print(f"{package:18}" + "".join(f"{counts[k]:9}" for k in KINDS), flush=True)
    for note in notes + (unusable if verbose else []):
        print(note, flush=True)
    print("::" + json.dumps(all_of_them), flush=True)


def main():
    packages = list(dict.fromkeys([*software_made.MAKERS, *software_science.CALLS, *software_further.CALLS]))
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("packages", nargs="*", choices=[*packages, []])
    reader.add_argument("--verbose", action="store_true", help="every call that is not right")
    reader.add_argument("--without", action="store_true", help="only without SCIPY_ARRAY_API")
    reader.add_argument("--lift", action="store_true", help="with --here: through tm.lift")
    reader.add_argument("--here", action="store_true", help="once, in this process, as the environment says")
    options = reader.parse_args()
    if options.here:
        warnings.simplefilter("ignore")
        np.seterr(all="ignore")
        software_made.WAYS.update({"lift"} if options.lift else ())
        for package in options.packages:
            table_of(package, options.verbose)
        return 0
    found = {}
    for way in ("without", "with", "lift")[: 1 if options.without else 3]:
        title = "tm.lift" if way == "lift" else f"{way} SCIPY_ARRAY_API"
        print(f"{title:18}" + "".join(f"{k:>9}" for k in KINDS), flush=True)
        environment = {k: v for k, v in os.environ.items() if k != "SCIPY_ARRAY_API"}
        environment |= {"SCIPY_ARRAY_API": "1"} if way == "with" else {}
        sums = np.zeros(len(KINDS), int)
        for package in options.packages or packages:
            if way == "lift" and package.split()[0].partition(".")[0] not in software_made.LIFTED.split():
                continue
            command = [sys.executable, __file__, "--here", package, *(["--verbose"] if options.verbose else [])]
            command += ["--lift"] if way == "lift" else []
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            said, _, kinds = done.stdout.partition("::")
            print(said or f"{package:18}  stopped with {done.returncode}: {done.stderr[-200:]}", end="", flush=True)
            for name, kind in json.loads(kinds).items() if kinds else ():
                found.setdefault(package, {}).setdefault(name, set()).add(kind)
                sums[KINDS.index(kind)] += 1
        print(f"{'all':18}" + "".join(f"{n:9}" for n in sums), flush=True)
    print(f"{'in one of the ways':18}" + "".join(f"{k:>9}" for k in KINDS))
    sums = np.zeros(len(KINDS), int)
    for package, calls in found.items():
        order = ("WRONG", "DROPPED", "BARE", "right", "refused", "error")
        best = [next(k for k in order if k in kinds) for kinds in calls.values()]
        row = np.array([best.count(k) for k in KINDS])
        print(f"{package:18}" + "".join(f"{n:9}" for n in row))
        sums += row
    print(f"{'all':18}" + "".join(f"{n:9}" for n in sums), flush=True)
    return int(sums[3:].sum() > 0)


if __name__ == "__main__":
    sys.exit(main())
