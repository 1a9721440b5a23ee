"""The LSTM cell by Hadamard products: what a gate multiplies, and why its memory keeps a gradient alive."""

import numpy as np
from gallery import beside, title

import tinygrad_math as tm
from tinygrad_math.geometry import hadamard


def cell(parameters, x, h, c):
    """i, f, o = σ(W x + U h + b), g = tanh(...);  c' = f ∘ c + i ∘ g;  h' = o ∘ tanh(c')."""
    n = len(h)
    z = parameters["W"] @ x + parameters["U"] @ h + parameters["b"]
    i, f, o = (tm.sigmoid(z[k * n : (k + 1) * n]) for k in range(3))
    g = tm.tanh(z[3 * n :])
    c = hadamard(f, c) + hadamard(i, g)
    return hadamard(o, tm.tanh(c)), c


def main():
    rng = np.random.default_rng(0)
    n, steps = 4, 40
    parameters = {"W": rng.normal(0, 0.4, (4 * n, 3)), "U": rng.normal(0, 0.4, (4 * n, n)), "b": np.zeros(4 * n)}
    inputs = rng.normal(size=(steps, 3))

    title("One step, against the formula written out in NumPy")
    x, h, c = inputs[0], rng.normal(size=n), rng.normal(size=n)
    z = parameters["W"] @ x + parameters["U"] @ h + parameters["b"]
    i, f, o = (1 / (1 + np.exp(-z[k * n : (k + 1) * n])) for k in range(3))
    expected = o * np.tanh(f * c + i * np.tanh(z[3 * n :]))
    out = {"step": beside("h'", np.round(expected, 3), cell(parameters, x, h, c)[0]), "expected": expected.tolist()}

    title("The gradient of c' in c is the forget gate, by the product rule for ∘")
    slope = tm.jacobian(lambda c: cell(parameters, x, h, c)[1])(c)
    out["slope"] = beside("diagonal of dc'/dc", np.round(f, 3), tm.diagonal(slope))
    out["forget gate"] = f.tolist()

    title(f"After {steps} steps: an open forget gate keeps the gradient, a half-open one loses it")

    def last_memory(c0, bias):
        gates = {**parameters, "b": np.r_[np.zeros(n), np.full(n, bias), np.zeros(2 * n)]}
        h, c = tm.zeros(n), c0
        for x in inputs:
            h, c = cell(gates, x, h, c)
        return c.sum()

    for bias, law in ((0.0, "lost"), (5.0, "kept")):
        size = tm.linalg.norm(tm.grad(last_memory)(tm.zeros(n), bias))
        out[f"bias {bias:g}"] = beside(f"|d c_last / d c_0|, forget bias {bias:g}", law, size)
    return out


if __name__ == "__main__":
    main()
