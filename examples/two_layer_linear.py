"""A two-layer linear network shows y = W x: it can learn the least-squares map of real data, and nothing else.

Fisher's irises: from the length and width of the sepal to those of the petal, in cm, centred. The same study with
pictures and a report: python -m tinygrad_math demo
"""

import numpy as np

import tinygrad_math as tm


def train(goal=1e-6, limit=5000):
    """The trained network, the data, and the loss of each step."""
    flowers = tm.data.iris()
    x, y = flowers.sepal - flowers.sepal.mean(axis=0), flowers.petal - flowers.petal.mean(axis=0)
    best = np.linalg.lstsq(x, y, rcond=None)[0].T
    net = tm.nn.Sequential(tm.nn.Linear(2, 3, bias=False, rng=0), tm.nn.Linear(3, 2, bias=False, rng=1))
    opt = tm.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    losses = []
    while np.abs(product(net) - best).max() > goal and len(losses) < limit:
        opt.zero_grad()
        loss = tm.nn.functional.mse_loss(net(x), y)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return net, x, y, best, losses


def product(net):
    """The one matrix that the two layers amount to."""
    w1, w2 = (layer.weight.detach().numpy() for layer in net)
    return w2 @ w1


def main():
    net, x, y, best, losses = train()
    w = product(net)
    print(f"after {len(losses)} steps, W2 W1 =\n{w}\nW by least squares =\n{best}")

    flower = x[0]
    print("\nrow view:    y_i = sum_j W_ij x_j")
    for i, row in enumerate(w):
        print(f"  y{i + 1} = {row[0]:.3f} * {flower[0]:.3f} + {row[1]:.3f} * {flower[1]:.3f} = {row @ flower:.3f}")
    print("column view: y = sum_j x_j (column j of W)")
    print(
        f"  y = {flower[0]:.3f} * {w[:, 0].round(3)} + {flower[1]:.3f} * {w[:, 1].round(3)} = {(w @ flower).round(3)}"
    )

    def loss(model):
        return tm.nn.functional.mse_loss(model(x), y)

    fixed = tm.stop_gradient(net)  # the same network, of constants
    curved = tm.hvp(loss, fixed, fixed)
    print(f"\nthe Hessian times the weights, a network of the same form; its second layer:\n{curved[1].weight.numpy()}")
    return {"gap": float(np.abs(w - best).max()), "steps": len(losses), "w": w}


if __name__ == "__main__":
    main()
