"""Data: sets small enough to ship or to make, and how they come in batches."""

from ..core.elsewhere import face as _face
from .dataset import ConcatDataset as ConcatDataset
from .dataset import Dataset as Dataset
from .dataset import Subset as Subset
from .dataset import TensorDataset as TensorDataset
from .dataset import random_split as random_split
from .iris import Iris as Iris
from .iris import iris as iris
from .loader import DataLoader as DataLoader
from .loader import collate as collate
from .samplers import BatchSampler as BatchSampler
from .samplers import RandomSampler as RandomSampler
from .samplers import Sampler as Sampler
from .samplers import SequentialSampler as SequentialSampler
from .samplers import SubsetRandomSampler as SubsetRandomSampler
from .samplers import WeightedRandomSampler as WeightedRandomSampler
from .sets import breast_cancer as breast_cancer
from .sets import diabetes as diabetes
from .sets import digits as digits
from .sets import wine as wine
from .text import Characters as Characters
from .toy import adding_problem as adding_problem
from .toy import checkerboard as checkerboard
from .toy import circles as circles
from .toy import moons as moons
from .toy import parity as parity
from .toy import sine as sine
from .toy import spirals as spirals
from .toy import two_layer_linear as two_layer_linear

__getattr__, __dir__ = _face(__name__)
