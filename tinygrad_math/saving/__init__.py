"""Trees on disk: `save` and `load`, to `.npz` without pickle, and to `.safetensors` by the ending."""

from .files import load as load
from .files import save as save
