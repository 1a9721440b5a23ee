"""What is done to the parameters of a network: as one vector, within bounds, and computed of others."""

from ...core.elsewhere import face as _face
from . import parametrizations as parametrizations
from . import parametrize as parametrize
from .vectors import clip_grad_norm_ as clip_grad_norm_
from .vectors import clip_grad_value_ as clip_grad_value_
from .vectors import parameters_to_vector as parameters_to_vector
from .vectors import vector_to_parameters as vector_to_parameters

__getattr__, __dir__ = _face(__name__, "parametrizations", "parametrize")
