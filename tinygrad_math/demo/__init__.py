"""The main job: a two-layer linear network on real data, shown from every side."""

from .study import Study as Study
from .study import study as study
