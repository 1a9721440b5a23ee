"""Two million rows that no one machine holds: a task makes each shard, Newton's method sends one vector a product."""

import functools
import time

import numpy as np
from gallery import save, title

import tinygrad_math as tm
from tinygrad_math.viz.pictures.canvas import PALETTE, figure

FEATURES = 10
TRUTH = np.append(np.linspace(-1.0, 1.0, FEATURES), -0.5)  # the weights that made the answers, and the offset


def make(number, count):
    """The rows of a shard, which are made where they are needed: features, and answers drawn by their chances."""
    rng = np.random.default_rng([50, number])
    x = rng.normal(size=(count, FEATURES))
    chance = 1 / (1 + np.exp(-(x @ TRUTH[:-1] + TRUTH[-1])))
    return x, (rng.random(count) < chance).astype(float)


def loss(w, batch):
    """Minus the logarithm of the likelihood of the answers, a mean over the rows."""
    x, answers = batch
    scores = x @ w[:-1] + w[-1]
    return (tm.logaddexp(0.0, scores) - answers * scores).mean()


def main(short=False):
    if short:
        return study("threads", 6, 500)
    from dask.distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster, Client(cluster) as client:
        return study(client, 20, 100_000)


def study(client, count, rows):
    total = count * rows
    title(f"Logistic regression on {total:,} rows in {count} shards")
    shards = tm.distributed.Shards([functools.partial(make, k, rows) for k in range(count)], client)
    w = tm.tensor(np.zeros(FEATURES + 1), requires_grad=True)
    closure, optimizer = tm.distributed.Closure(loss, w, shards, None), tm.optim.NewtonCG([w])
    losses, start = [closure().item()], time.perf_counter()
    for k in range(6):
        begin = time.perf_counter()
        optimizer.step(closure)
        losses.append(closure().item())
        print(f"step {k + 1}: loss {losses[-1]:.9f} after {time.perf_counter() - begin:.2f} s")
    found = w.detach().numpy()
    print(f"{time.perf_counter() - start:.1f} s on {shards.place.name}")
    # how sure: the covariance of the weights is the inverse of the Hessian of all rows together
    curvature = tm.curvature.HessianOperator(loss, found, data=shards).to_dense()
    errors = np.sqrt(np.diag(np.linalg.inv(curvature)) / total)
    off = (found - TRUTH) / errors
    print(f"weights are off by {np.abs(found - TRUTH).max():.5f} at most; error bars of {errors.mean():.5f} on average")
    right = tm.distributed.evaluate(
        lambda w, b: np.mean((b[0] @ w.numpy()[:-1] + w.numpy()[-1] > 0) == b[1]), shards, None
    )
    share = right(found).item()
    print(f"{100 * share:.2f} % of the answers are right")
    shards.release()

    fig, (left, middle) = figure(columns=2, size=4.8)
    left.semilogy(np.array(losses[:-1]) - losses[-1] + 1e-17, "o-", color=PALETTE[0])
    left.set(xlabel="Newton step", ylabel="loss above the least", title=f"{total:,} rows")
    middle.errorbar(TRUTH, 1e3 * (found - TRUTH), 2e3 * errors, fmt="o", color=PALETTE[1])
    middle.axhline(0, color="grey", lw=0.8)
    middle.set(
        xticks=np.linspace(-1, 1, 5),
        xlabel="weight that made the answers",
        ylabel="found - true, in thousandths",
        title="two standard errors",
    )
    save(fig, "50_many_rows")
    return {
        "losses": losses,
        "off": float(np.abs(off).max()),
        "apart": float(np.abs(found - TRUTH).max()),
        "right": share,
    }


if __name__ == "__main__":
    main()
