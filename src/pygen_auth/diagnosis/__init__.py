"""What `pygen_auth.diagnose` finds, as data: checks with a name, an outcome, a detail and an advice.

Each step looks at one thing on the way from the settings to an answer of the API. Nothing here
prints; the command line shows the same report.
"""

from ._metadata import Metadata, server_metadata
from ._report import Check, Diagnosis, Outcome, refused_settings
from ._run import run

__all__ = [
    "Check",
    "Diagnosis",
    "Metadata",
    "Outcome",
    "refused_settings",
    "run",
    "server_metadata",
]
