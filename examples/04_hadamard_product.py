"""The Hadamard product: element by element, of arrays of the same order."""

from gallery import beside, title

import tinygrad_math as tm
from tinygrad_math.geometry import hadamard


def main():
    g, h = [[3.0, 5.0, 7.0], [4.0, 9.0, 8.0]], [[1.0, 6.0, 3.0], [0.0, 2.0, 9.0]]
    title("g ∘ h")
    out = {"product": beside("two factors", "[[3, 30, 21], [0, 18, 72]]", hadamard(g, h))}
    m = [[2.0, 0.0, 1.0], [1.0, 1.0, 0.5]]
    out["three"] = beside("three factors, g ∘ h ∘ m", "[[6, 0, 21], [0, 18, 36]]", hadamard(g, h, m))

    title("The derivative in one factor is the product of the others")
    out["gradient"] = beside("d sum(g∘h∘m) / dg = h∘m", "h∘m", tm.grad(lambda g: hadamard(g, h, m).sum())(g))

    title("The order must agree")
    try:
        hadamard(g, [1.0, 2.0, 3.0])
    except tm.ShapeError as error:
        print(error)
        out["refused"] = True
    return out


if __name__ == "__main__":
    main()
