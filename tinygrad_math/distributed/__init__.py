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
without it, is named at once. A LocalCluster, and others of Dask's, give up a worker that is lost for 15 seconds, also
one that is just being started anew; {"distributed.deploy.lost-worker-timeout": "10m"} gives a slow machine more time.

Workers that come later take part: the shards are parted anew as soon as there are more threads than groups of shards.
Workers that go (a job at its walltime) are replaced by those that are left, which load the lost shards again, and after
client.restart() a step begins anew. None of this changes a bit of the results: what is added to what is a matter of the
shards' numbers alone. So take more shards than there will be workers (two to eight for each), of equal size, each small
enough to lie in memory with what the loss computes of it, and one thread for each worker: NumPy's own threads are
better spent on other shards.

A step is a task for each worker, which Dask repeats elsewhere if need be, and shows on the dashboard. Where the last
one took less than 0.1 s of computing for each worker, and vectors have less than 1 MB, the workers are asked directly
(client.run), by one message each way: such a step is not on the dashboard, and becomes tasks if anything fails.

What a step costs. With W workers, C seconds of computing in all, and parameters of P bytes,

\[ T(W) = \frac{C}{W} + a + s\,W + \frac{P}{B}\,(1 + 3W) \quad\text{directly}, \qquad
   T(W) = \frac{C}{W} + a' + s'\,(W + \lceil W/8 \rceil) + \frac{P}{B}\,\bigl(1 + W + 2\min(W, 8)\bigr)
   \quad\text{as tasks}. \]

C/W is the computing. a is the way there and back, s what client and scheduler do for each worker; of tasks there is one
for each worker and one for each eight of their sums, which workers add up. B is the rate at which vectors are handed
on: the scheduler takes the parameters once, sends them to each worker, and takes and hands on the sums. Measured by
tests/bench/distributed_steps.py on two cores of an AMD EPYC (family 25, model 1) that other work shared: a = 4 ms,
s = 0.5 ms, a' = 10 ms, s' = 3.1 ms, B = 400 MB/s. Whatever the machine, a step of two workers with shards of one row
takes 0.6 to 0.7 of the time of one bare client.submit(f, w).result() (here 7 to 8 ms of 11), and as tasks it takes as
long as two such submits and a gather (20 ms). C = 1.95 s for 200,000 rows and 19,210 parameters (P = 0.15 MB), of which
two workers made 1.14 s, 1.71 times as fast with the others' work on the same cores; by processor time 1.93 times. By
the formula, and this only it says of more workers than two (directly where C/W is less than 0.1 s, up to 64 workers):

    W           1      2      8     32     64    512
    computing   1950   975    244   61     30    4     ms
    scheduling  16     19     38    20     36    1800  ms
    transport   2      3      10    37     74    204   ms
    speed       1.0    2.0    6.8   17     14    1.0   times that of one

So 8 workers are worth 7. The best number for this step is \(W^* = \sqrt{C / (s + 3P/B)}\), about 34, where half of the
time is overhead; 64 are slower than 32, and 512 as slow as one. More workers need more computing in a step, which grows
as the square of their number: with as much overhead as computing, 64 take \(64^2 (s + 3P/B)\), which is 7 seconds
(700,000 such rows a step), and 512, as tasks, \(512^2 (\tfrac98 s' + P/B)\), 17 minutes (100 million). Where a step has
less than that, it has to be made rarer or flatter: k local steps on each worker between two sums (local SGD; Stich
2019) divide the overhead by k and change the method; a tree in both directions, where workers hand on parameters as
well as sums (transport log W in place of W), is worthwhile once 3P/B exceeds s, from 70 kB of parameters on. Neither is
done here: what the scheduler does for each worker is in the way of both, and synchronous steps are what equals one
machine.
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
