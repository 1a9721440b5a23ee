"""Circle, sphere, hypersphere and the other bodies: who is inside, how much, and a circle fitted to points."""

import math

import numpy as np
from gallery import beside, save, title

import tinygrad_math as tm
from tinygrad_math.geometry import Hypercube, Hyperellipsoid, Hyperrectangle, Hypersphere


def main():
    title("Inside (-1), on (0), outside (1) of x1² + x2² = 25")
    circle = Hypersphere(5.0)
    out = {"circle": beside("(1, 1), (3, 4), (5, 5)", "-1, 0, 1", circle.side([[1.0, 1.0], [3.0, 4.0], [5.0, 5.0]]))}
    out["sphere"] = beside("(1, 2, 2) on radius 3", 0, Hypersphere(3.0).side([1.0, 2.0, 2.0]))
    out["hypersphere"] = beside("(1, ..., 1) in R^9 on radius 3", 0, Hypersphere(3.0).side([1.0] * 9))

    title("How much is inside")
    out["disc"] = beside("disc of radius 2: π r²", f"{4 * math.pi:.6f}", Hypersphere(2.0, [0.0, 0.0]).volume)
    out["ball"] = beside("ball of radius 2: 4/3 π r³", f"{32 / 3 * math.pi:.6f}", Hypersphere(2.0, np.zeros(3)).volume)
    out["ellipse"] = beside("ellipse 3, 2: π a b", f"{6 * math.pi:.6f}", Hyperellipsoid([3.0, 2.0]).volume)
    out["cube"] = beside("cube of edge 2", 8, Hypercube(2.0, np.zeros(3)).volume)
    out["box"] = beside("rectangle 2 by 3", 6, Hyperrectangle([0.0, 0.0], [2.0, 3.0]).volume)
    slope = tm.grad(lambda r: Hypersphere(r, np.zeros(3)).volume)(2.0)
    out["surface"] = beside("d volume / d radius = surface 4 π r²", f"{16 * math.pi:.6f}", slope)
    print("the unit ball is largest in R^5, then shrinks:")
    volumes = {n: Hypersphere(1.0, np.zeros(n)).volume.item() for n in (1, 2, 5, 10, 20)}
    print("  " + "   ".join(f"R^{n}: {v:.4g}" for n, v in volumes.items()))

    title("Fit a circle to noisy points through its own parameters")
    rng = np.random.default_rng(0)
    t = rng.uniform(0, 2 * np.pi, 80)
    points = [1.0, -2.0] + 3.0 * np.stack([np.cos(t), np.sin(t)], axis=1) + rng.normal(0, 0.05, (80, 2))
    body = Hypersphere(1.0, [0.0, 0.0])
    for _ in range(300):
        g = tm.grad(lambda s: tm.mean(s.level(points) ** 2))(body)
        body = Hypersphere(body.radius - 0.3 * g.radius, body.center - 0.3 * g.center)
    out["fit"] = [body.radius.item(), *body.center.tolist()]
    print(f"made from radius 3, center (1, -2); found {body}")
    save(tm.viz.body(body, points=np.vstack([points[::8], [[1.0, -2.0], [-3.0, 1.5]]])), "10_circle")
    save(tm.viz.body(Hyperellipsoid([3.0, 2.0]), points=[[1.0, 1.0], [3.0, 0.0], [2.5, 1.5]]), "10_ellipse")
    return out


if __name__ == "__main__":
    main()
