"""Product rule, quotient rule, chain rule, and the total derivative through several paths."""

import math

from gallery import beside, title

import tinygrad_math as tm


def main():
    title("Product rule: y = u v with u = x², v = 3x, at x = 2")
    x = 2.0
    du, dv = tm.grad(lambda x: x**2)(x), tm.grad(lambda x: 3 * x)(x)
    out = {"product": beside("y' = 9 x²", 36, tm.grad(lambda x: x**2 * (3 * x))(x))}
    out["product rule"] = beside("u' v + u v'", "4·6 + 4·3 = 36", du * (3 * x) + x**2 * dv)

    title("Quotient rule: y = u/v with u = x², v = 3x")
    out["quotient"] = beside("y'", "1/3", tm.grad(lambda x: x**2 / (3 * x))(x))
    out["quotient rule"] = beside("(u' v - u v')/v²", "(24-12)/36", (du * (3 * x) - x**2 * dv) / (3 * x) ** 2)

    title("Chain rule: z = exp(xy) with x = 2u + v, y = u/v, at u = 1, v = 2")

    def z(u, v):
        x, y = 2 * u + v, u / v
        return tm.exp(x * y)

    u, v = 1.0, 2.0
    px, py = 4.0, 0.5
    zx, zy = py * math.exp(px * py), px * math.exp(px * py)  # ∂z/∂x = y e^{xy}, ∂z/∂y = x e^{xy}
    gu, gv = tm.grad(z, argnums=(0, 1))(u, v)
    out["dz/du"] = beside("∂z/∂x 2 + ∂z/∂y 1/v", f"{zx * 2 + zy / v:.6f}", gu)
    out["dz/dv"] = beside("∂z/∂x 1 - ∂z/∂y u/v²", f"{zx - zy * u / v**2:.6f}", gv)
    out["by hand"] = [zx * 2 + zy / v, zx - zy * u / v**2]

    title("Total derivative: P(q1(z), q2(z), q3(z)), a sum over the paths")
    qs = (tm.sin, tm.square, tm.exp)

    def outer(q1, q2, q3):
        return q1 * q2 + q3**2

    point = 0.7
    q = [f(point) for f in qs]
    outer_slopes = tm.grad(outer, argnums=(0, 1, 2))(*q)
    paths = [(dp * tm.grad(f)(point)).item() for dp, f in zip(outer_slopes, qs, strict=True)]
    for k, path in enumerate(paths):
        print(f"path through q{k + 1}:  ∂P/∂q{k + 1} · dq{k + 1}/dz = {path:.6f}")
    out["paths"] = sum(paths)
    total = tm.grad(lambda z: outer(*(f(z) for f in qs)))(point)
    out["total"] = beside("their sum is dP/dz", f"{sum(paths):.6f}", total)
    return out


if __name__ == "__main__":
    main()
