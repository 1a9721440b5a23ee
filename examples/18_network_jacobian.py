"""The four subspaces of a trained network's Jacobian: which inputs it cannot see, which outputs it cannot reach."""

import numpy as np
from gallery import beside, title

import tinygrad_math as tm
from tinygrad_math.linalg import fundamental_subspaces


def network(p, x):
    """5 inputs, a bottleneck of 2 tanh units, 4 outputs."""
    return tm.tanh(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]


def main():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 5))
    target = np.stack([np.sin(x[:, 0]), x[:, 1], x[:, 0] + x[:, 1], x[:, 0] - x[:, 1]], axis=1)  # of two inputs only
    p = {"W1": rng.normal(0, 0.5, (5, 2)), "b1": np.zeros(2), "W2": rng.normal(0, 0.5, (2, 4)), "b2": np.zeros(4)}

    title("Train by gradient descent")
    step = tm.value_and_grad(lambda p: tm.mean((network(p, x) - target) ** 2))
    losses = []
    for k in range(601):
        value, g = step(p)
        losses.append(value.item())
        if k % 200 == 0:
            print(f"step {k:3}   loss {losses[-1]:.4f}")
        p = {name: p[name] - 0.2 * g[name] for name in p}

    title("Its Jacobian at one input, a 4 x 5 matrix of rank 2: the bottleneck")
    at = tm.tensor(x[0])
    j = tm.jacobian(lambda x: network(p, x))(at)
    four = fundamental_subspaces(j)
    out = {"losses": [losses[0], losses[-1]]}
    out["dims"] = beside(
        "column, null, row, left null", "2, 3, 2, 2", [four.column.dim, four.null.dim, four.row.dim, four.left_null.dim]
    )
    title("Inputs that it cannot see: steps in the null space")
    blind = four.null.basis[:, 0]
    out["blind"] = beside(
        "change of the output for a blind step", 0, tm.abs(network(p, at + blind) - network(p, at)).max()
    )
    seen = four.row.basis[:, 0]
    out["sees"] = beside("for a step of the row space", "> 0", tm.abs(network(p, at + seen) - network(p, at)).max())
    weight = [tm.linalg.norm(four.row.project(e)).item() for e in np.eye(5)]
    out["weight"] = beside("how much it sees of each input", "1 1 0 0 0", weight)

    title("Outputs that it cannot reach: the left null space, at this input and every other")
    closed = four.left_null.basis
    moves = network(p, tm.tensor(rng.normal(size=(100, 5)))) - network(p, at)
    out["closed"] = beside("moves of 100 other outputs along it", 0, tm.abs(moves @ closed).max())
    return out


if __name__ == "__main__":
    main()
