"""Many machines: gradients, products with second derivatives and sweeps over the workers of a Dask cluster."""

from ..core.elsewhere import face as _face
from .closure import Closure as Closure
from .cluster import Shards as Shards
from .picking import Batches as Batches
from .products import evaluate as evaluate
from .products import ggnvp as ggnvp
from .products import hvp as hvp
from .products import value_and_grad as value_and_grad
from .sweep import sweep as sweep
from .table import Sweep as Sweep

__getattr__, __dir__ = _face(__name__)
