"""Projection of one vector on another and on a plane; what is left over is orthogonal to it."""

import math

from gallery import beside, save, title

import tinygrad_math as tm
from tinygrad_math.geometry import angle, project, projector, reject, scalar_projection


def main():
    a, b = tm.tensor([2.0, 2.0]), tm.tensor([3.0, 0.0])
    title("d = a·b/|b| = |a| cos θ")
    out = {
        "scalar": beside("length of a's projection on b", "2", scalar_projection(a, b)),
        "by angle": beside("|a| cos θ", "2", math.sqrt(8) * tm.cos(angle(a, b))),
        "vector": beside("c = (b'a / b'b) b", "(2, 0)", project(a, b)),
        "rest": beside("a - c", "(0, 2)", reject(a, b)),
        "orthogonal": beside("(a - c)·b", "0", tm.dot(reject(a, b), b)),
    }
    title("Onto the plane z = 0")
    p = projector([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    out["matrix"] = beside("P", "diag(1, 1, 0)", p)
    out["plane"] = beside("P (2, 2, 2)", "(2, 2, 0)", p @ [2.0, 2.0, 2.0])
    out["twice"] = beside("P² - P", "0", tm.abs(p @ p - p).max())

    title("The derivative of the projection in a is the matrix bb'/b'b")
    out["jacobian"] = beside("d project(a, b)/da", "[[1, 0], [0, 0]]", tm.jacobian(project)(a, b))
    save(tm.viz.projection([2.0, 2.0], [3.0, 0.6]), "06_projection")
    return out


if __name__ == "__main__":
    main()
