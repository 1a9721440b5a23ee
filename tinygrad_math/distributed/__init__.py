r"""Many machines: gradients, products with second derivatives, training and sweeps over the workers of a Dask cluster.

Scheduler, transport, retries and the dashboard are Dask's. Install `tinygrad_math[distributed]` on every machine, in
the same versions, together with the modules that losses and shards are written in; what is written in a notebook or in
the script itself travels by itself.

On one machine, a worker a core:

    from dask.distributed import Client, LocalCluster
    import tinygrad_math as tm

    def rows(k):                                   # runs on a worker, which keeps the result in its memory
        data = np.load(f"/data/rows_{k}.npz")
        return data["x"], data["y"]

    def loss(params, batch):                       # the mean over the examples of a batch
        ...

    if __name__ == "__main__":                     # worker processes import this file
        with LocalCluster(n_workers=8, threads_per_worker=1) as cluster, Client(cluster) as client:
            print(client.dashboard_link)
            shards = tm.distributed.Shards([functools.partial(rows, k) for k in range(64)], client)
            f = tm.distributed.value_and_grad(loss, shards, client)
            value, slopes = f(params)

Over SSH, with the package asyncssh, on a lab's machines that share a file system or have the files in the same place
(keys without passwords):

    from dask.distributed import SSHCluster
    cluster = SSHCluster(["head", "node1", "node2", "node3"],          # the first runs the scheduler
                         worker_options={"n_workers": 8, "nthreads": 1})

or by hand: `dask scheduler` on one machine, `dask worker tcp://head:8786 --nworkers 8 --nthreads 1` on the others, and
`Client("tcp://head:8786")`, or `python -m tinygrad_math train digits --scheduler tcp://head:8786`.

On Slurm, with the package dask-jobqueue, a job for each bundle of workers:

    from dask_jobqueue import SLURMCluster
    cluster = SLURMCluster(cores=8, processes=8, memory="32GB", walltime="04:00:00",
                           job_script_prologue=["export OPENBLAS_NUM_THREADS=1", "export OMP_NUM_THREADS=1"])
    cluster.scale(jobs=8)                                              # 64 workers, as the queue lets them in
    client = Client(cluster)

A call waits for the first worker, ten minutes at most, or as long as dask.config.set says:
{"distributed.scheduler.no-workers-timeout": "8h"}. A scheduler or a worker with another version of this package, or
without it, is named at once.

Workers that come later take part: the shards are parted anew as soon as there are more threads than groups of shards.
Workers that go (a job at its walltime) are replaced by those that are left, which load the lost shards again. Neither
changes a bit of the results: what is added to what is a matter of the shards' numbers alone. So take more shards than
there will be workers (two to eight for each), of equal size, each small enough to lie in memory with what the loss
computes of it, and one thread for each worker: NumPy's own threads are better spent on other shards.

What a step costs. With W workers, C seconds of computing in all, and parameters of P bytes,

\[ T(W) = \frac{C}{W} + a + s\,(W + \lceil W/8 \rceil) + \frac{P}{B}\,\bigl(1 + W + 2\min(W, 8)\bigr). \]

C/W is the computing. a is the way there and back. s is Dask's time for a task: there is one for each worker and one for
each eight of their sums, which workers add up. B is the rate at which the scheduler hands vectors on: it takes the
parameters once, sends them to each worker, and takes and hands on at most eight sums. Measured by
tests/bench/distributed_steps.py on two cores that other work shared, as minima of short repeats: a = 4 ms (a whole step
with shards of one row: 4.9 ms with one worker, 6.0 ms with two), s = 1.4 ms, B = 570 MB/s (parameters of 8 MB: 107 ms
for two workers); C = 1.68 s for 200,000 rows and 19,210 parameters (P = 0.15 MB), of which two workers made 0.91 s:
1.85 times as fast. By the formula, and this only it says of more workers than two:

    W           1      2      8     32     64    512
    computing   1680   840    210   53     26    3     ms
    scheduling  7      8      17    54     105   810   ms
    transport   1      2      7     13     22    143   ms
    speed       1.0    2.0    7.2   14     11    1.8   times that of one

So 8 workers are worth 7. The best number for this step is \(W^* = \sqrt{C / (\tfrac98 s + P/B)}\), about 30, where half
of the time is overhead; 64 are slower than 32, and 512 as fast as 2. More workers need more computing in a step, which
grows as the square of their number: with as much overhead as computing, 64 take \(64^2 (\tfrac98 s + P/B)\), which is
7.6 seconds (900,000 such rows a step), 512 take 8 minutes (58 million). Where a step has less than that, it has to be
made rarer or flatter: k local steps on each worker between two sums (local SGD; Stich 2019) divide the overhead by k
and change the method; a tree in both directions, where workers hand on parameters as well as sums (transport log W in
place of W), is worthwhile once P/B exceeds s, from 0.8 MB of parameters on. Neither is done here: the scheduler's s W
is in the way of both, and synchronous steps are what equals one machine.
"""

from ..core.elsewhere import face as _face
from .batches import Batches as Batches
from .closure import Closure as Closure
from .cluster import Shards as Shards
from .products import evaluate as evaluate
from .products import ggnvp as ggnvp
from .products import hvp as hvp
from .products import value_and_grad as value_and_grad
from .sweep import sweep as sweep
from .table import Sweep as Sweep

__getattr__, __dir__ = _face(__name__)
