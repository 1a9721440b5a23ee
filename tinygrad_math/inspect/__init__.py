"""Looking into a computation: where each value comes from, and where it goes wrong."""

from __future__ import annotations

from ..core.elsewhere import face as _face
from .anomaly import detect_anomaly
from .audit import Audit, audit
from .conventions import Conventions, conventions
from .health import Health, health
from .landscape import Landscape, landscape
from .lines import line_of, noted_lines
from .spectrum import Spectrum, spectrum
from .subspaces import NetworkSubspaces, subspaces
from .summary import Summary, summary
from .watch import Watch, watch

__all__ = [
    "Audit",
    "Conventions",
    "Health",
    "Landscape",
    "NetworkSubspaces",
    "Spectrum",
    "Summary",
    "Watch",
    "audit",
    "conventions",
    "detect_anomaly",
    "health",
    "landscape",
    "line_of",
    "noted_lines",
    "spectrum",
    "subspaces",
    "summary",
    "watch",
]

__getattr__, __dir__ = _face(__name__)
