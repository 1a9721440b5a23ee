"""Newton's method on a network: what the Hessian's eigenvalues say while it learns, and how the method uses them."""

import numpy as np
from gallery import save, title

import tinygrad_math as tm
from tinygrad_math import nn
from tinygrad_math.nn import functional as F
from tinygrad_math.viz.pictures.canvas import BLACK, BLUE, GREY, RED, figure

DECAY = 1e-3


def network():
    return nn.Sequential(nn.Linear(2, 8, rng=0), nn.Tanh(), nn.Linear(8, 8, rng=1), nn.Tanh(), nn.Linear(8, 1, rng=2))


def loss(net, x, y):
    """How badly the moons are told apart, and a little for large weights, so that there is a lowest point."""
    size = sum((p * p).sum() for p in net.parameters())
    return F.binary_cross_entropy_with_logits(net(x)[:, 0], y) + 0.5 * DECAY * size


def steepness(net, x, y):
    return np.sqrt(sum((g.numpy() ** 2).sum() for g in tm.grad_of(loss(net, x, y), list(net.parameters()))))


def main(short=False):
    x, labels = tm.data.moons(200, noise=0.15, rng=0)
    y = np.asarray(labels, dtype=float)
    title("A network of 105 numbers: the whole Hessian after each step of NewtonCG")
    net = network()
    newton, spectra, losses, slopes = tm.optim.NewtonCG(net, forcing=0.1), [], [], []
    for _ in range(8 if short else 60):
        hessian = tm.curvature.HessianOperator(lambda n: loss(n, x, y), net).to_dense()
        spectra.append(np.linalg.eigvalsh(hessian))
        slopes.append(steepness(net, x, y))
        losses.append(newton.step(lambda: loss(net, x, y)).item())
        if slopes[-1] < 1e-10:
            break
    spectra = np.array(spectra)
    out = {
        "negative": ((spectra[0] < -1e-6).sum(), (spectra[-1] < -1e-6).sum()),
        "slope": slopes[-1],
        "steps": len(losses),
    }
    print(f"{out['steps']} steps, the gradient is {slopes[-1]:.1e} long, the loss {losses[-1]:.4f}")
    print(f"eigenvalues below 0: {out['negative'][0]} at the start, {out['negative'][1]} at the end")
    out["condition"] = float(spectra[-1].max() / spectra[-1].min()) if spectra[-1].min() > 0 else np.inf
    print(f"at the end the steepest direction bends {out['condition']:.0f} times as much as the flattest")

    other, budget = network(), 10 * len(losses)
    adam, beside, steep = tm.optim.Adam(other, lr=0.02), [], []
    for _ in range(budget):
        adam.zero_grad()
        value = loss(other, x, y)
        value.backward()
        beside.append(value.item())
        steep.append(np.sqrt(sum((p.grad.numpy() ** 2).sum() for p in other.parameters())))
        adam.step()
    out["adam"] = steep[-1]
    print(f"Adam after {budget} steps: the gradient is {steep[-1]:.1e} long, the loss {beside[-1]:.4f}")

    fig, (left, right) = figure(columns=2, size=4.8)
    steps = np.arange(len(losses))
    left.semilogy(np.arange(budget), steep, color=GREY, label="Adam")
    left.semilogy(steps, slopes, color=BLUE, marker=".", label="NewtonCG")
    left.set(xlabel="step", ylabel="length of the gradient", title="the end is quadratic", xlim=(0, 2.5 * len(losses)))
    left.legend(frameon=False)
    for values in spectra.T:
        right.plot(steps, values, color=BLUE, linewidth=0.6, alpha=0.7)
    right.plot(steps, spectra[:, 0], color=RED, label="smallest")
    right.plot(steps, spectra[:, -1], color=BLACK, label="largest")
    right.axhline(DECAY, color=GREY, linestyle="--", label="weight decay alone")
    right.set_yscale("symlog", linthresh=1e-3)
    right.set(xlabel="step", ylabel="eigenvalue", title="all 105 eigenvalues of the Hessian", ylim=(-20, 20))
    right.legend(frameon=False, loc="lower right")
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    save(fig, "40_newton_spectrum")
    return out


if __name__ == "__main__":
    main()
