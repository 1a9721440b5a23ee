"""Product rule, quotient rule, chain rule, and the total derivative through several paths, explained path by path."""

import math

from gallery import beside, title, write

import tinygrad_math as tm


def variable(value):
    return tm.tensor(value, requires_grad=True)


def main():
    title("Product rule: y = u v with u = x², v = 3x, at x = 2")
    x = variable(2.0)
    y = x**2 * (3 * x)
    product = tm.explain(y, x)
    print(product.text())
    out = {"product": beside("y' = 9 x²", 36, product.gradient)}
    out["product rule"] = beside("u' v + u v'", "4·6 + 4·3 = 36", sum(path.value for path in product.paths))

    title("Quotient rule: y = u/v with u = x², v = 3x")
    y = x**2 / (3 * x)
    quotient = tm.explain(y, x)
    print(quotient.text())
    out["quotient"] = beside("y'", "1/3", quotient.gradient)
    out["quotient rule"] = beside("(u' v - u v')/v²", "(24-12)/36", sum(path.value for path in quotient.paths))

    title("Chain rule: z = exp(xy) with x = 2u + v, y = u/v, at u = 1, v = 2")
    u, v = variable(1.0), variable(2.0)
    x, y = 2 * u + v, u / v
    z = tm.exp(x * y)
    of_u, of_v = tm.explain(z, [u, v])
    print(of_u.text())
    px, py = 4.0, 0.5
    zx, zy = py * math.exp(px * py), px * math.exp(px * py)  # ∂z/∂x = y e^{xy}, ∂z/∂y = x e^{xy}
    out["dz/du"] = beside("∂z/∂x 2 + ∂z/∂y 1/v", f"{zx * 2 + zy / 2:.6f}", of_u.gradient)
    out["dz/dv"] = beside("∂z/∂x 1 - ∂z/∂y u/v²", f"{zx - zy / 4:.6f}", of_v.gradient)
    out["by hand"] = [zx * 2 + zy / 2, zx - zy / 4]

    title("Total derivative: P(q1(z), q2(z), q3(z)), a sum over the paths")
    z = variable(0.7)
    q1, q2, q3 = tm.sin(z), tm.square(z), tm.exp(z)
    P = q1 * q2 + q3**2
    total = tm.explain(P, z)
    print(total.text())
    out["paths"] = sum(path.value for path in total.paths).item()
    out["total"] = beside("the sum over the paths is dP/dz", f"{out['paths']:.6f}", total.gradient)

    write(of_u.html(), "22_chain_rule.html")
    write(of_u.latex(), "22_chain_rule.tex")
    return out


if __name__ == "__main__":
    main()
