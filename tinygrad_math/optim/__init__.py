"""Optimisers: one piece of maths, as a stateful `step()` and as a pure `update()`."""

from ..core.elsewhere import face as _face
from . import lr_scheduler as lr_scheduler
from . import swa_utils as swa_utils
from .adaptive import Adadelta as Adadelta
from .adaptive import Adagrad as Adagrad
from .adaptive import Adam as Adam
from .adaptive import Adamax as Adamax
from .adaptive import AdamW as AdamW
from .adaptive import NAdam as NAdam
from .adaptive import RAdam as RAdam
from .adaptive import RMSprop as RMSprop
from .lbfgs import LBFGS as LBFGS
from .newton import LevenbergMarquardt as LevenbergMarquardt
from .newton import NewtonCG as NewtonCG
from .optimizer import Optimizer as Optimizer
from .scipy_minimize import minimize as minimize
from .sgd import ASGD as ASGD
from .sgd import SGD as SGD
from .sgd import Rprop as Rprop

__getattr__, __dir__ = _face(__name__, "lr_scheduler", "swa_utils")
