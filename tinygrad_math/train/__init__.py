"""Training: `fit`, what it tells, and what can be hooked into it."""

from ..core.elsewhere import face as _face
from .bank import Bank as Bank
from .callbacks import Callback as Callback
from .callbacks import EarlyStopping as EarlyStopping
from .callbacks import MetricsFile as MetricsFile
from .callbacks import TensorBoard as TensorBoard
from .fitting import accuracy as accuracy
from .fitting import evaluate as evaluate
from .fitting import fit as fit
from .history import History as History
from .many import fit_many as fit_many

__getattr__, __dir__ = _face(__name__)
