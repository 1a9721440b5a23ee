"""Random numbers, reproducible and differentiable: `tm.random`.

Every draw goes through one op without a derivative, `random_draw`, whose static parameters are the generator and
the name of the NumPy method that draws. What is smooth is then built on it with ordinary ops: normal(loc, scale)
is loc + scale z with z drawn, so it is differentiable in loc and scale (reparametrised). A compiled function keeps
the op as an instruction, and so draws again at each call.

The functions of this module use one shared generator, which `seed` restarts; `default_rng(seed)` makes one's own,
with the same functions as methods. Nothing touches NumPy's global state. NumPy's generators draw under a lock,
so threads may share one; which thread gets which number is then not reproducible, with one generator each it is.
For the same seed the numbers are NumPy's where NumPy draws in the same way: random, normal, uniform, exponential,
gamma, integers, permutation, choice, poisson, binomial.
"""

from __future__ import annotations

from ..core.elsewhere import face as _face
from .generator import Generator as Generator
from .generator import default_rng as default_rng
from .generator import stream as stream
from .streams import own_stream as own_stream
from .streams import rand as rand
from .streams import rand_like as rand_like
from .streams import randn as randn
from .streams import randn_like as randn_like
from .streams import shared as shared
from .streams import source as source

bernoulli = shared.bernoulli
beta = shared.beta
binomial = shared.binomial
chisquare = shared.chisquare
choice = shared.choice
dirichlet = shared.dirichlet
exponential = shared.exponential
gamma = shared.gamma
gumbel = shared.gumbel
integers = shared.integers
laplace = shared.laplace
logistic = shared.logistic
lognormal = shared.lognormal
multivariate_normal = shared.multivariate_normal
normal = shared.normal
permutation = shared.permutation
poisson = shared.poisson
random = shared.random
seed = shared.seed
standard_normal = shared.standard_normal
standard_t = shared.standard_t
uniform = shared.uniform

__all__ = [
    "Generator",
    "bernoulli",
    "beta",
    "binomial",
    "chisquare",
    "choice",
    "default_rng",
    "dirichlet",
    "exponential",
    "gamma",
    "gumbel",
    "integers",
    "laplace",
    "logistic",
    "lognormal",
    "multivariate_normal",
    "normal",
    "permutation",
    "poisson",
    "rand",
    "randn",
    "random",
    "seed",
    "standard_normal",
    "standard_t",
    "uniform",
]

__getattr__, __dir__ = _face(__name__)
