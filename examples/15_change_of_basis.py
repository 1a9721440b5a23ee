"""Change of basis: one vector, two sets of coordinates, and the matrix between them."""

import math

import numpy as np
from gallery import beside, save, title

import tinygrad_math as tm
from tinygrad_math.geometry import rotation_z
from tinygrad_math.linalg import Basis


def main():
    v = tm.tensor([2.0, 2.0, 2.0])
    title("v = (2, 2, 2) in the standard basis")
    standard = Basis(np.eye(3))
    out = {"standard": beside("the standard basis changes nothing", "(2, 2, 2)", standard.coordinates(v))}

    title("The same v in a basis turned by 30° about the third axis")
    turned = Basis(rotation_z(math.pi / 6))
    c = turned.coordinates(v)
    out["turned"] = beside("new components", "(1+√3, √3-1, 2)", c)
    out["length"] = beside("an orthonormal basis keeps the length", "2√3 = 3.464102", tm.linalg.norm(c))
    projections = [tm.dot(v, turned.matrix[:, k]).item() for k in range(3)]
    out["projections"] = beside("they are projections on the basis", "the same", projections)
    out["back"] = beside("and back", "(2, 2, 2)", turned.vector(c))

    title("A basis that is not orthonormal: coordinates, not projections")
    skew = Basis([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    out["skew"] = beside("coordinates of v", "(2, 0, 2)", skew.coordinates(v))
    step = turned.to(skew)
    out["to"] = beside("the matrix from one basis to the other", "the same", step @ c)

    title("Which basis makes v lie along its first axis? Ask the gradient")
    theta = tm.tensor(0.0)
    for _ in range(60):
        theta = theta + 0.3 * tm.grad(lambda t: Basis(rotation_z(t)).coordinates(v)[0])(theta)
    out["theta"] = beside("the angle that makes c1 largest", "45°", theta * 180 / math.pi)
    save(tm.viz.change_of_basis(Basis([[1.0, -0.5], [0.5, 1.0]]), [1.0, 2.0]), "15_change_of_basis")
    return out


if __name__ == "__main__":
    main()
