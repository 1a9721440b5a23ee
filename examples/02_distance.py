"""The distance of two points in 1, 2, 3 and n dimensions, from the origin, and the direction in which it grows."""

from gallery import beside, title

import tinygrad_math as tm
from tinygrad_math.geometry import distance


def main():
    title("D = sqrt(sum (a_i - b_i)^2)")
    out = {
        "1-D": beside("1-D: 7 and 4", "sqrt((7-4)²) = 3", distance(7.0, 4.0)),
        "2-D": beside("2-D: (1, 2) and (4, 6)", "sqrt(9+16) = 5", distance([1.0, 2.0], [4.0, 6.0])),
        "3-D": beside("3-D: (1, 2, 2) and the origin", "sqrt(1+4+4) = 3", distance([1.0, 2.0, 2.0])),
        "n-D": beside("16-D: (1, ..., 1) and the origin", "sqrt(16) = 4", distance([1.0] * 16)),
    }
    title("Its gradient is the unit vector away from the other point")
    p, q = [4.0, 6.0], [1.0, 2.0]
    out["gradient"] = beside("at (4, 6), seen from (1, 2)", "(3, 4)/5", tm.grad(distance)(p, q))
    out["coincident"] = beside("where both points coincide", "(0, 0)", tm.grad(distance)(p, p))

    title("Other ways to measure")
    for order, law in ((1, "|3| + |4| = 7"), (2, "5"), (tm.inf, "max = 4")):
        out[f"L{order}"] = beside(f"L{order} distance", law, distance(p, q, ord=order))
    return out


if __name__ == "__main__":
    main()
