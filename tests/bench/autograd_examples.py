"""autograd's own examples with this package in the place of `autograd.numpy`.

    git clone https://github.com/HIPS/autograd
    python tests/bench/autograd_examples.py autograd [--compare] [name ...]

The modules of autograd that the examples import are made here, in a few lines each: `autograd.numpy` is this package,
`grad` and its kin are this package's. Each example runs in a process of its own, without a display, for so many
seconds: "ran" is to its end, "runs on" without an error until then, as autograd's own check of them counts it. Those
that load a set of digits from the network are left out. `--compare` runs each with autograd as well, where that is
installed, and counts the leading numbers that both print alike.

With version 0.5.0: 24 of 27. gmm hands a Tensor to matplotlib's `alpha=`, which takes Python's numbers alone; rkhs
makes a class of its own one that autograd's tracer wraps; bayesian_optimization ends in the same error with autograd
itself and SciPy 1.17.
"""

import argparse
import os
import re
import runpy
import subprocess
import sys
import types
from pathlib import Path

DOWNLOADS = {"convnet", "generative_adversarial_net", "neural_net", "variational_autoencoder"}
PARTS = {"data", "data_mnist", "__init__"}


def modules():
    """Names of autograd's modules, and what stands for each."""
    import numpy as np
    import scipy.signal

    import tinygrad_math as tm

    class NumPy(types.ModuleType):
        random, linalg, fft = np.random, tm.linalg, tm.fft

        def __getattr__(self, name):
            return getattr(tm, name)

    def flatten(tree):
        vector, unravel = tm.ravel_tree(tree)
        return vector, unravel

    def flatten_func(f, example):
        vector, unravel = tm.ravel_tree(example)
        return lambda v, *args: tm.ravel_tree(f(unravel(v), *args))[0], unravel, vector

    def over_trees(optimise):
        def run(grad, x0, callback=None, **options):
            vector, unravel = tm.ravel_tree(x0)
            told = callback and (lambda x, i, g: callback(unravel(x), i, unravel(g)))
            return unravel(optimise(lambda x, i: tm.ravel_tree(grad(unravel(x), i))[0], vector, told, **options))

        return run

    @over_trees
    def sgd(grad, x, callback=None, num_iters=200, step_size=0.1, mass=0.9):
        velocity = tm.zeros_like(x)
        for i in range(num_iters):
            g = grad(x, i)
            if callback:
                callback(x, i, g)
            velocity = mass * velocity - (1.0 - mass) * g
            x = x + step_size * velocity
        return x

    @over_trees
    def adam(grad, x, callback=None, num_iters=100, step_size=0.001, b1=0.9, b2=0.999, eps=1e-8):
        m, v = tm.zeros_like(x), tm.zeros_like(x)
        for i in range(num_iters):
            g = grad(x, i)
            if callback:
                callback(x, i, g)
            m, v = (1 - b1) * g + b1 * m, (1 - b2) * g**2 + b2 * v
            x = x - step_size * (m / (1 - b1 ** (i + 1))) / (tm.sqrt(v / (1 - b2 ** (i + 1))) + eps)
        return x

    def fixed_point(f, a, x0, distance, tol):
        def iterate(a):
            x, before = f(a)(x0), x0
            while distance(x, before) > tol:
                x, before = f(a)(x), x
            return x

        return tm.implicit.root(lambda x, a: x - f(a)(x), iterate)(a)

    def make_vjp(f, x):
        value, pull = tm.vjp(f, x)
        return pull, value

    class Node:
        @classmethod
        def new_root(cls, *args, **kwargs):
            root = cls.__new__(cls)
            root.initialize_root(*args, **kwargs)
            return root

    def trace(start, f, x):
        """A node of start's class for each step that depends on x."""
        recorded = tm.record(f, x)
        first, *rest = recorded.steps
        nodes, values = {first.id: start}, {first.id: first.value}
        for step in rest:
            values[step.id] = step.value
            argnums = tuple(k for k, a in enumerate(step.args) if isinstance(a, str) and a in nodes)
            if step.op == "alias" and argnums:  # the inner function's own name for its input
                nodes[step.id] = nodes[step.args[0]]
            elif argnums:
                args = tuple(values[a] if isinstance(a, str) else a for a in step.args)
                parents = tuple(nodes[step.args[k]] for k in argnums)
                made = types.SimpleNamespace(__name__=step.op)
                nodes[step.id] = type(start)(step.value, made, args, step.params, argnums, parents)
        return recorded.value, nodes[recorded.steps[-1].id]

    def check_grads(f, modes=("fwd", "rev"), order=2):
        return lambda *x: tm.testing.check_grads(f, x, modes=tuple(modes), order=order)

    kin = {n: getattr(tm, n) for n in (
        "grad", "value_and_grad", "jacobian", "hessian", "elementwise_grad", "deriv", "hessian_vector_product",
        "holomorphic_grad", "checkpoint",
    )}  # fmt: skip
    built_in = {"tuple": tuple, "list": list, "dict": dict, "isinstance": isinstance, "type": type}
    found = {
        "": {**kin, **built_in, "make_vjp": make_vjp},
        "builtins": built_in,
        "extend": {"primitive": tm.primitive, "defvjp": tm.defvjp, "defjvp": tm.defjvp},
        "util": {"func": lambda f: f},
        "tracer": {"Node": Node, "trace": trace},
        "test_util": {"check_grads": check_grads},
        "misc": {"flatten": flatten},
        "misc.flatten": {"flatten": flatten, "flatten_func": flatten_func},
        "misc.optimizers": {"sgd": sgd, "adam": adam},
        "misc.fixed_points": {"fixed_point": fixed_point},
        "numpy": NumPy("autograd.numpy"),
        "numpy.random": np.random,
        "numpy.linalg": tm.linalg,
        "scipy": {},
        "scipy.special": tm.special,
        "scipy.signal": tm.lift(scipy.signal),
        "scipy.integrate": tm.integrate,
        "scipy.stats": tm.stats,
        **{f"scipy.stats.{n}": getattr(tm.stats, n) for n in ("norm", "t", "multivariate_normal", "dirichlet")},
    }
    return {"autograd" + ("." if name else "") + name: thing for name, thing in found.items()}


def run(path):
    """An example, which finds those modules under their names."""
    made = {}
    for name, thing in modules().items():
        if isinstance(thing, dict):
            module = types.ModuleType(name)
            module.__path__, found = [], thing
            module.__dict__.update(found)
            thing = module
        sys.modules[name] = made[name] = thing
    for name, thing in made.items():
        parent, _, last = name.rpartition(".")
        ours = parent and isinstance(made[parent], types.ModuleType) and made[parent].__name__ == parent
        if ours and not hasattr(made[parent], last):  # misc.flatten is a function, and a module
            setattr(made[parent], last, thing)
    runpy.run_path(str(path), run_name="__main__")


def outcome(command, folder, seconds):
    """What an example came to, and what it printed."""
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONUNBUFFERED": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        said, failed = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return "runs on", process.communicate()[0]
    if process.returncode:
        return f"FAILED: {failed.strip().splitlines()[-1][:150]}", said
    return "ran", said


def numbers(text):
    return [float(n) for n in re.findall(r"[-+]?\d+\.\d+(?:[eE][-+]?\d+)?", text)]


def main():
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("checkout", type=Path, help="where autograd's repository lies")
    reader.add_argument("names", nargs="*")
    reader.add_argument("--seconds", type=float, default=20.0)
    reader.add_argument("--compare", action="store_true")
    reader.add_argument("--here", action="store_true", help="run the one file given, in this process")
    options = reader.parse_args()
    if options.here:
        sys.path.insert(0, str(options.checkout.resolve().parent))
        run(options.checkout.resolve())
        return 0
    paths = sorted((options.checkout / "examples").rglob("*.py"))
    paths = [p.resolve() for p in paths if p.stem not in DOWNLOADS | PARTS]
    paths = [p for p in paths if p.stem in options.names] if options.names else paths
    good = 0
    for path in paths:
        kind, said = outcome([sys.executable, __file__, "--here", str(path)], path.parent, options.seconds)
        good += not kind.startswith("FAILED")
        note = ""
        if options.compare:
            theirs, other = outcome([sys.executable, str(path)], path.parent, options.seconds)
            pairs = list(zip(numbers(said), numbers(other)))
            alike = next((k for k, (a, b) in enumerate(pairs) if abs(a - b) > 1e-5 * (1 + abs(b))), len(pairs))
            note = f"; autograd {theirs}; {alike} of {len(pairs)} numbers alike"
        print(f"{path.stem:32} {kind}{note}", flush=True)
    print(f"{good} of {len(paths)} examples without an error")
    return 0


if __name__ == "__main__":
    sys.exit(main())
