"""Training beside its peers: python tests/bench/bench_training.py [--quick] [--avx2]

Of interleaved repeats the least time counts: what else a machine does only adds to it.
"""

import argparse
import gc
import importlib.util

import harness
import numpy as np
from harness import peer

import tinygrad_math as tm
from tinygrad_math.nn import functional as F
from tinygrad_math.train.steps import Compiled
from tinygrad_math.train.stretches_of_banks import StretchOfBank
from tinygrad_math.train.together import Together

torch, jax = peer("torch"), peer("jax")
OURS, NATIVE = "tinygrad_math", importlib.util.find_spec("llvmlite") is not None


def least(steps, repeats, budget):
    """The least time of each step, in interleaved repeats of about `budget` seconds each."""
    for step in steps.values():
        step()
    calls = {
        name: max(1, int(budget / min(harness.seconds(step, 1) for _ in range(2)))) for name, step in steps.items()
    }
    best = dict.fromkeys(steps, np.inf)
    gc.collect()
    gc.freeze()  # what the libraries hold is gone through once, not before each repeat
    for _ in range(repeats):
        for name, step in steps.items():
            gc.collect()
            best[name] = min(best[name], harness.seconds(step, calls[name]))
    gc.unfreeze()
    return best


def loaded(theirs, ours):
    """The values of one of our modules in one of PyTorch's."""
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    return theirs


def digits():
    """A training step on a batch of 64 digits: 64-64-10, tanh, cross entropy, Adam."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=(64, 64)), rng.integers(0, 10, 64)

    def network():
        return tm.nn.Sequential(tm.nn.Linear(64, 64, rng=0), tm.nn.Tanh(), tm.nn.Linear(64, 10, rng=1))

    net = network()
    opt = tm.optim.Adam(net, lr=1e-3)

    def eager():
        opt.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        opt.step()

    pure = tm.optim.Adam(lr=1e-3)
    params = {k: p.detach() for k, p in network().named_parameters()}
    state = pure.init(params)

    def forward(params, x, y):
        h = tm.tanh(F.linear(x, params["0.weight"], params["0.bias"]))
        return F.cross_entropy(F.linear(h, params["2.weight"], params["2.bias"]), y)

    def update(params, state, x, y):
        loss, grads = tm.value_and_grad(forward)(params, x, y)
        return *pure.update(grads, state, params), loss

    def compiled(backend):
        program, own = tm.compile(update, donate_argnums=(0, 1), backend=backend), (params, state)

        def step():
            nonlocal own
            own = program(*own, x, y)[:2]

        return step

    steps = {OURS: eager, "ours, compiled": compiled("numpy"), "numpy": numpy_digits(network(), x, y)}
    if NATIVE:
        params = {k: p.detach() for k, p in network().named_parameters()}
        state = pure.init(params)
        steps["ours, native"] = compiled("native")
    if torch:
        theirs = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.Tanh(), torch.nn.Linear(64, 10)).double()
        loaded(theirs, network())
        adam, tx, ty = torch.optim.Adam(theirs.parameters(), lr=1e-3), torch.tensor(x), torch.tensor(y)

        def torch_step():
            adam.zero_grad()
            torch.nn.functional.cross_entropy(theirs(tx), ty).backward()
            adam.step()

        steps["torch"] = torch_step
    if jax:
        steps["jax, jit"] = jax_digits(network(), x, y)
    return steps


def numpy_digits(net, x, y, lr=1e-3):
    """By hand, with every array written in place where NumPy can."""
    params = list(net.state_dict().values())
    first, second = ([np.zeros_like(p) for p in params] for _ in range(2))
    rows, k = np.arange(len(y)), 0

    def step():
        nonlocal k
        k += 1
        w, b, v, c = params
        h = np.tanh(x @ w.T + b)
        z = h @ v.T + c
        z -= z.max(1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(1, keepdims=True)
        z[rows, y] -= 1
        z /= len(y)
        d = (z @ v) * (1 - h * h)
        for p, g, m, s in zip(params, (d.T @ x, d.sum(0), z.T @ h, z.sum(0)), first, second, strict=True):
            m *= 0.9
            m += 0.1 * g
            s *= 0.999
            s += 0.001 * g * g
            p -= (lr / (1 - 0.9**k)) * m / (np.sqrt(s / (1 - 0.999**k)) + 1e-8)

    return step


def jax_digits(net, x, y, lr=1e-3):
    jnp = jax.numpy
    params = [jnp.asarray(p) for p in net.state_dict().values()]
    moments = [jnp.zeros_like(p) for p in params], [jnp.zeros_like(p) for p in params]

    def loss(params):
        w, b, v, c = params
        logs = jax.nn.log_softmax(jnp.tanh(x @ w.T + b) @ v.T + c)
        return -jnp.mean(logs[jnp.arange(len(y)), y])

    def update(params, moments, k):
        grads = jax.grad(loss)(params)
        first = [0.9 * m + 0.1 * g for m, g in zip(moments[0], grads, strict=True)]
        second = [0.999 * s + 0.001 * g * g for s, g in zip(moments[1], grads, strict=True)]
        new = [
            p - lr / (1 - 0.9**k) * m / (jnp.sqrt(s / (1 - 0.999**k)) + 1e-8)
            for p, m, s in zip(params, first, second, strict=True)
        ]
        return new, (first, second)

    program, k = jax.jit(update, donate_argnums=(0, 1)), 0

    def step():
        nonlocal params, moments, k
        k += 1
        params, moments = program(params, moments, float(k))
        params[0].block_until_ready()

    return step


def gradient(module, call, *xs):
    """Our steps: the gradient of the sum of the outputs in the parameters, eager, compiled, and in machine code."""

    def eager():
        module.zero_grad()
        call(module, *xs).sum().backward()

    def compiled(backend):
        program = tm.compile(tm.grad(lambda module, *xs: call(module, *xs).sum()), backend=backend)
        return lambda: program(module, *xs)

    steps = {OURS: eager, "ours, compiled": compiled("numpy")}
    if NATIVE:
        steps["ours, native"] = compiled("native")
    return steps


def torch_gradient(module, call, *xs):
    def step():
        module.zero_grad()
        call(module, *xs).sum().backward()

    return step


def lstm(length=50):
    """An LSTM, 50 steps, hidden 32, batch 16: gradient; PyTorch's goes cell by cell."""
    layer, x = tm.nn.LSTM(16, 32, rng=0), np.random.default_rng(0).normal(size=(length, 16, 16))
    steps = gradient(layer, lambda m, x: m(x)[0], x)
    if torch:
        cell, whole = torch.nn.LSTMCell(16, 32).double(), loaded(torch.nn.LSTM(16, 32).double(), layer)

        def by_cells(cell, x):
            h = c = torch.zeros(16, 32, dtype=torch.float64)
            out = []
            for row in x:
                h, c = cell(row, (h, c))
                out.append(h)
            return torch.stack(out)

        steps["torch, cells"] = torch_gradient(cell, by_cells, torch.tensor(x))
        steps["torch, layer"] = torch_gradient(whole, lambda m, x: m(x)[0], torch.tensor(x))
    return steps


def convolution():
    """A convolution 3 x 3, 8 to 16 channels, images 8 x 8, batch 64: gradient."""
    layer = tm.nn.Conv2d(8, 16, 3, padding=1, rng=0)
    x = np.random.default_rng(0).normal(size=(64, 8, 8, 8))
    steps = gradient(layer, lambda m, x: m(x), x)
    if torch:
        theirs = loaded(torch.nn.Conv2d(8, 16, 3, padding=1).double(), layer)
        steps["torch"] = torch_gradient(theirs, lambda m, x: m(x), torch.tensor(x))
    return steps


def attention():
    """Attention, 4 heads, width 32, sequences of 32, batch 16: gradient."""
    layer = tm.nn.MultiheadAttention(32, 4, batch_first=True, rng=0)
    x = np.random.default_rng(0).normal(size=(16, 32, 32))
    steps = gradient(layer, lambda m, x: m(x, x, x)[0], x)
    if torch:
        theirs = loaded(torch.nn.MultiheadAttention(32, 4, batch_first=True).double(), layer)
        steps["torch"] = torch_gradient(theirs, lambda m, x: m(x, x, x)[0], torch.tensor(x))
    return steps


def adam(shapes):
    """A step of Adam over parameters of these shapes."""
    rng = np.random.default_rng(0)
    values, slopes = [[rng.normal(size=shape) for shape in shapes] for _ in range(2)]
    ours = [tm.tensor(v, requires_grad=True) for v in values]
    for p, g in zip(ours, slopes, strict=True):
        p.grad = g
    steps = {OURS: tm.optim.Adam(ours).step}
    if torch:
        theirs = [torch.tensor(v, requires_grad=True) for v in values]
        for p, g in zip(theirs, slopes, strict=True):
            p.grad = torch.tensor(g)
        steps["torch"] = torch.optim.Adam(theirs, foreach=False).step
    return steps


def bank(make, inputs, outputs, rows, steps=20, many=256):
    """Steps of Adam for many networks: all in a native program, all in one a step, and compiled steps one by one."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(steps * rows, inputs)), rng.normal(size=(steps * rows, outputs))
    batches = [(tm.tensor(x[k : k + rows]), tm.tensor(y[k : k + rows])) for k in range(0, len(x), rows)]

    def fresh():
        nets = [make(k) for k in range(many)]
        return nets, [tm.optim.Adam(net, lr=1e-3 * (1 + k / many)) for k, net in enumerate(nets)]

    nets, opts = fresh()
    together = Together(nets, F.mse_loss, opts, 1, (None, None), "numpy", False)
    one = Compiled(nets[0], F.mse_loss, opts[0], 1, (None, None))
    one.begin()

    def alone():
        for batch in batches:
            for _ in range(many):
                one([batch])

    found = {"ours, compiled": lambda: [together([batch]) for batch in batches], "one by one": alone}
    if NATIVE:
        nets, opts = fresh()
        native = Together(nets, F.mse_loss, opts, 1, (None, None), "native", False)
        stretch = StretchOfBank(native, [x, y], (1, rows), schedulers=[])
        stretch.turn(np.arange(len(x)), None)

        def taken():
            stretch.count = steps
            if stretch.taken(0) is None:
                raise AssertionError("the networks' steps were not taken in one call")

        found["ours, native"] = taken
    return found


def linear(seed):
    return tm.nn.Sequential(tm.nn.Linear(4, 3, False, rng=seed), tm.nn.Linear(3, 2, False, rng=seed + 999))


def moons(seed):
    layers = [tm.nn.Linear(a, b, rng=seed + k) for k, (a, b) in enumerate([(2, 16), (16, 16), (16, 1)])]
    return tm.nn.Sequential(layers[0], tm.nn.Tanh(), layers[1], tm.nn.Tanh(), layers[2])


ROWS = {
    "digits 64-64-10, Adam, batch 64, training step": digits,
    "LSTM 50 steps, hidden 32, batch 16, gradient": lstm,
    "convolution 3x3, 8 to 16 channels, 8x8, batch 64, gradient": convolution,
    "attention, 4 heads, width 32, sequence 32, batch 16, gradient": attention,
    "Adam, 4 million parameters": lambda: adam([(2000, 2000)]),
    "Adam, 20 small parameters": lambda: adam([(8, 8)] * 20),
    "256 linear networks 4-3-2, batch 16, Adam, 20 steps of all": lambda: bank(linear, 4, 2, 16),
    "256 networks 2-16-16-1, batch 100, Adam, 20 steps of all": lambda: bank(moons, 2, 1, 100),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one repeat: to see that it runs")
    quick = parser.parse_args().quick
    repeats, budget = (1, 0.0) if quick else (15, 0.05)
    print(harness.machine())
    for title, row in ROWS.items():
        found = least(row(), repeats, budget)
        harness.print_row(title, found)
        for ours in ("ours, compiled", "ours, native"):
            if ours in found:
                others = {k: t for k, t in found.items() if k not in (OURS, ours)}
                print(*(f"  {ours.removeprefix('ours, ')} / {k} = {found[ours] / t:.2f}" for k, t in others.items()))


if __name__ == "__main__":
    main()
