"""A neuron as an inner product: of all inputs of one length, the one parallel to the weights excites it most."""

import numpy as np
from gallery import beside, title

import tinygrad_math as tm
from tinygrad_math.geometry import angle, unit


def main():
    w = tm.tensor([0.5, -1.0, 2.0])  # synaptic weights
    title("The response is |w| |x| cos θ")
    x = tm.tensor([1.0, 1.0, 1.0])
    size = tm.linalg.norm(w) * tm.linalg.norm(x)
    out = {
        "response": beside("w·x", 0.5 - 1 + 2, tm.dot(w, x)),
        "law": beside("|w| |x| cos θ", 1.5, size * tm.cos(angle(w, x))),
    }

    title("Gradient ascent among the inputs of length 1")
    x = unit(np.random.default_rng(3).normal(size=3))
    for step in range(61):
        if step % 10 == 0:
            print(f"step {step:2}   response {tm.dot(w, x):.6f}   angle to w {angle(w, x).item() * 180 / np.pi:7.3f}°")
        g = tm.grad(lambda x: tm.dot(w, unit(x)))(x)  # already tangent to the sphere
        x = unit(x + 0.2 * g)
    out["x"] = beside("the input found", "w/|w|", x)
    out["w/|w|"] = unit(w).tolist()
    out["best"] = beside("its response", "|w|", tm.dot(w, x))
    out["|w|"] = tm.linalg.norm(w).item()
    out["tangent"] = beside("the gradient has no part along x", 0, tm.dot(tm.grad(lambda x: tm.dot(w, unit(x)))(x), x))

    title("A layer is many neurons: y_i is the dot product of row i of W with x")
    weights = tm.tensor([[1.0, 0.0, 2.0], [0.0, 3.0, -1.0]])
    rows = [tm.dot(row, [1.0, 2.0, 3.0]).item() for row in weights]
    out["layer"] = beside("W x, row by row", rows, weights @ [1.0, 2.0, 3.0])
    return out


if __name__ == "__main__":
    main()
