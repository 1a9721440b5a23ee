"""Matrices as maps: stretch, rotate, reflect, project, shear, squeeze; and a rotation learned from its effect."""

import math

import numpy as np
from gallery import beside, save, title

import tinygrad_math as tm
from tinygrad_math.geometry import projection, reflection, rotation, shear, squeeze, stretch


def main():
    title("What each does to a vector")
    c, x, y = 0.5, 2.0, 3.0
    out = {
        "stretch": beside("diag(5, 5) (1, 1)", "(5, 5)", stretch([5.0, 5.0]) @ [1.0, 1.0]),
        "rotate": beside("rotation by 90° of (1, 1)", "(-1, 1)", rotation(math.pi / 2) @ [1.0, 1.0]),
        "reflect": beside("[[0, 1], [1, 0]] (1, 0)", "(0, 1)", reflection([1.0, -1.0]) @ [1.0, 0.0]),
        "project": beside("[[1, 0], [0, 0]] (1, 1)", "(1, 0)", projection([1.0, 0.0]) @ [1.0, 1.0]),
        "shear": beside("[[1, c], [0, 1]] (x, y)", f"({x + c * y}, {y})", shear(c) @ [x, y]),
        "squeeze": beside("diag(2, 1/2) (1, 1)", "(2, 0.5)", squeeze(2.0) @ [1.0, 1.0]),
    }
    title("What each does to areas: the determinant")
    maps = {
        "stretch": (stretch([5.0, 5.0]), 25),
        "rotate": (rotation(0.7), 1),
        "reflect": (reflection([1.0, -1.0]), -1),
        "project": (projection([1.0, 0.0]), 0),
        "shear": (shear(c), 1),
        "squeeze": (squeeze(2.0), 1),
    }
    out["det"] = {name: beside(name, law, tm.linalg.det(m)) for name, (m, law) in maps.items()}

    title("The derivative of a rotation is the rotation a quarter turn on")
    quarter = rotation(0.3 + math.pi / 2) - tm.jacobian(rotation)(0.3)
    out["derivative"] = beside("R'(θ) - R(θ + 90°)", 0, tm.abs(quarter).max())

    title("Learn the angle that turns one set of points into another")
    points = np.random.default_rng(0).normal(size=(20, 2))
    turned = points @ np.array([[math.cos(1.2), math.sin(1.2)], [-math.sin(1.2), math.cos(1.2)]])

    def loss(theta):
        return tm.mean((points @ rotation(theta).mT - turned) ** 2)

    theta = tm.tensor(0.0)
    for _ in range(100):
        theta = theta - 0.3 * tm.grad(loss)(theta)
    out["theta"] = beside("angle found", 1.2, theta)
    for name in ("shear", "rotate"):
        save(tm.viz.matrix_map(maps[name][0]), f"11_{name}")
    return out


if __name__ == "__main__":
    main()
