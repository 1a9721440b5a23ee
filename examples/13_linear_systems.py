"""Subspaces, and when Ax = b can be solved: iff b is a combination of A's columns."""

from gallery import beside, title

import tinygrad_math as tm
from tinygrad_math.linalg import Subspace, solve_system


def main():
    title("The plane z = 0 is a subspace of R³, essentially R²")
    plane = Subspace([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    print(plane)
    out = {
        "dim": beside("dimension", 2, plane.dim),
        "origin": beside("contains the origin", True, plane.contains([0.0, 0.0, 0.0])),
        "closed": beside("contains 2(1,2,0) - 3(0,1,0)", True, plane.contains([2.0, 1.0, 0.0])),
        "outside": beside("contains (0, 0, 1)", False, plane.contains([0.0, 0.0, 1.0])),
    }
    other = Subspace([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    print(f"with the plane x = 0:  intersection {plane & other};  sum of dimension {(plane + other).dim}")
    out["meet, join"] = [(plane & other).dim, (plane + other).dim]

    title("A = [[1, 0], [2, 3], [1, 3]]: u (1, 2, 1) + v (0, 3, 3) = b")
    a = [[1.0, 0.0], [2.0, 3.0], [1.0, 3.0]]
    inside = solve_system(a, [1.0, 5.0, 4.0])
    print(f"b = (1, 5, 4): {inside}")
    out["inside"] = [inside.kind, inside.x.tolist()]
    outside = solve_system(a, [1.0, 0.0, 0.0])
    print(f"b = (1, 0, 0): {outside}")
    out["outside"] = [outside.kind, outside.x.tolist()]
    out["residual"] = beside("A'(Ax - b), what is left is orthogonal", "(0, 0)", tm.tensor(a).T @ outside.residual)

    title("How far b is from the column space, and the gradient of that in b")
    space = Subspace(a)

    def off(b):
        return tm.linalg.norm(b - space.project(b))

    out["off"] = beside("distance of (1, 0, 0)", "1/sqrt(3)", off(tm.tensor([1.0, 0.0, 0.0])))
    out["slope"] = beside("gradient: the unit vector away", "(1, -1, 1)/sqrt(3)", tm.grad(off)([1.0, 0.0, 0.0]))
    return out


if __name__ == "__main__":
    main()
