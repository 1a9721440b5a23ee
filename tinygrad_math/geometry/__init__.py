"""The lecture's objects: vectors, hyperplanes, spheres and their kin, matrices as maps."""

from ..core.elsewhere import face as _face
from .hyperplanes import Hyperplane as Hyperplane
from .spheres import Hypercube as Hypercube
from .spheres import Hyperellipsoid as Hyperellipsoid
from .spheres import Hyperrectangle as Hyperrectangle
from .spheres import Hypersphere as Hypersphere
from .transformations import *
from .vectors import *

__getattr__, __dir__ = _face(__name__)
