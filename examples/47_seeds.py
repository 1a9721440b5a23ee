"""How much of an accuracy is luck? 200 networks that differ in their seed alone, for three step sizes, at once."""

import time

import numpy as np
from gallery import save, title

import tinygrad_math as tm
from tinygrad_math import nn
from tinygrad_math.nn import functional as F
from tinygrad_math.viz.pictures.canvas import BLUE, GREEN, RED, figure


def network(seed):
    """A network of one hidden layer, made of one seed."""
    rng = np.random.default_rng(seed)
    return nn.Sequential(nn.Linear(2, 8, rng=rng), nn.Tanh(), nn.Linear(8, 2, rng=rng))


def main(short=False):
    title("Two moons, one network of each seed and step size")
    seeds, epochs = (40, 5) if short else (200, 40)
    rates = {0.003: GREEN, 0.03: BLUE, 0.3: RED}
    train, test = tm.data.moons(200, noise=0.2, rng=0), tm.data.moons(1000, noise=0.2, rng=1)
    nets = [network(seed) for _ in rates for seed in range(seeds)]
    optimizers = [tm.optim.Adam(net, lr=lr) for net, lr in zip(nets, np.repeat(list(rates), seeds), strict=True)]
    loader = tm.data.DataLoader(train, batch_size=25, shuffle=True, seed=0)
    start = time.perf_counter()
    bank = tm.train.fit_many(
        nets,
        loader,
        F.cross_entropy,
        optimizers,
        epochs,
        validation=tm.data.DataLoader(test, batch_size=1000),
        compile=True,
        metrics={"accuracy": tm.train.accuracy},
        progress=False,
    )
    seconds = time.perf_counter() - start
    right = bank.measured("val_accuracy").reshape(len(rates), seeds)
    best = bank.best("val_accuracy", largest=True)
    out = {"best": best.history[-1]["val_accuracy"], "median": np.median(right, axis=1).tolist()}
    out["spread"] = (right.max(axis=1) - right.min(axis=1)).tolist()
    print(f"{len(bank)} networks, {epochs} epochs of each, in {seconds:.1f} s")
    for lr, row in zip(rates, right, strict=True):
        low, middle, high = np.percentile(100 * row, [0, 50, 100])
        print(f"step size {lr:<6} {low:.1f} to {high:.1f} % right, the median {middle:.1f} %")
    net = network(best.number % seeds)  # trained alone it is the same
    optimizer = tm.optim.Adam(net, lr=list(rates)[best.number // seeds])
    loader = tm.data.DataLoader(train, batch_size=25, shuffle=True, seed=0)
    tm.train.fit(net, loader, F.cross_entropy, optimizer, epochs, compile=True, progress=False)
    pairs = zip(net.parameters(), best.model.parameters(), strict=True)
    out["apart"] = max(tm.abs(a - b).max().item() for a, b in pairs)
    print(f"the best of them, trained alone, ends {out['apart']:.1e} from itself")

    fig, (left, middle) = figure(columns=2, size=4.6)
    curves = 100 * bank["val_accuracy"].reshape(len(rates), seeds, -1)
    bins = np.linspace(100 * right.min() - 0.2, 100 * right.max() + 0.2, 45)
    for (lr, color), rows, last in zip(rates.items(), curves, 100 * right, strict=True):
        low, median, high = np.percentile(rows, [5, 50, 95], axis=0)
        left.fill_between(range(1, epochs + 1), low, high, color=color, alpha=0.2, linewidth=0)
        left.plot(range(1, epochs + 1), median, color=color, label=f"step size {lr}")
        middle.hist(last, bins, color=color, alpha=0.6, label=f"step size {lr}")
    left.set(xlabel="epoch", ylabel="% of new points right", title="median, and 90 % of the seeds")
    left.locator_params(axis="x", integer=True)
    middle.set(xlabel="% of new points right", ylabel=f"networks, of {seeds}", title=f"after {epochs} epochs")
    left.legend(frameon=False, loc="lower right")
    middle.legend(frameon=False, loc="upper center")
    for ax in (left, middle):
        ax.spines[["top", "right"]].set_visible(False)
    save(fig, "47_seeds")
    return out


if __name__ == "__main__":
    main()
