"""Vectors: sum, difference, dot product, cross product, and the angle between two."""

import math

from gallery import beside, save, title

import tinygrad_math as tm
from tinygrad_math.geometry import angle, is_orthogonal


def main():
    a, b = tm.tensor([1.0, 7.0, 8.0]), tm.tensor([3.0, 4.0, 7.0])
    title("a = (1, 7, 8), b = (3, 4, 7)")
    out = {
        "sum": beside("a + b", "(4, 11, 15)", a + b),
        "difference": beside("a - b", "(-2, 3, 1)", a - b),
        "dot": beside("a·b", "3+28+56 = 87", tm.dot(a, b)),
        "dot with itself": beside("a·a = |a|²", 1 + 49 + 64, tm.dot(a, a)),
    }
    cross = tm.linalg.cross(a, b)
    out["cross"] = beside("a×b", "(17, 17, -17)", cross)
    out["cross is orthogonal"] = beside(
        "(a×b)·a and (a×b)·b", "0, 0", [tm.dot(cross, a).item(), tm.dot(cross, b).item()]
    )

    title("The angle: cos θ = a·b / (|a| |b|)")
    law = math.acos(87 / math.sqrt(114 * 74))
    out["angle"] = beside("angle(a, b), radians", f"{law:.6f}", angle(a, b))
    out["right angle"] = beside("angle((1, 2), (-2, 1)) in degrees", 90, angle([1.0, 2.0], [-2.0, 1.0]) * 180 / math.pi)
    out["orthogonal"] = beside("so they are orthogonal", True, is_orthogonal([1.0, 2.0], [-2.0, 1.0]))

    save(tm.viz.vectors([3.0, 1.0], [1.0, 2.0]), "03_vectors")

    title("Nearly parallel vectors: arccos cannot see the angle, angle() can")
    tiny = 1e-9
    u, v = tm.tensor([1.0, 0.0]), tm.tensor([1.0, tiny])
    cosine = tm.dot(u, v) / (tm.linalg.norm(u) * tm.linalg.norm(v))
    out["arccos"] = beside("arccos of the quotient / 1e-9", "1", tm.arccos(cosine) / tiny)
    out["tiny angle"] = beside("angle() / 1e-9", "1", angle(u, v) / tiny)
    out["slope"] = beside("its gradient in v", "(0, 1)", tm.grad(angle, argnums=1)(u, v))
    return out


if __name__ == "__main__":
    main()
