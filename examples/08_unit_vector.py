"""The unit vector: a direction without a length."""

from gallery import beside, title

import tinygrad_math as tm
from tinygrad_math.geometry import unit


def main():
    a = tm.tensor([3.0, 4.0])
    title("a/|a| for a = (3, 4)")
    out = {
        "unit": beside("direction", "(0.6, 0.8)", unit(a)),
        "length": beside("its length", 1, tm.linalg.norm(unit(a))),
        "scale": beside("the same for 1e-200 a", "(0.6, 0.8)", unit(1e-200 * a)),
    }
    title("Its derivative, (I - uu')/|a|, sees only what turns a")
    j = tm.jacobian(unit)(a)
    out["jacobian"] = beside("du/da", "[[.128, -.096], [-.096, .072]]", j)
    out["along a"] = beside("along a nothing changes", "(0, 0)", j @ a)

    title("The zero vector has no direction")
    try:
        unit([0.0, 0.0])
    except tm.ZeroVector as error:
        print(error)
        out["refused"] = True
    return out


if __name__ == "__main__":
    main()
