"""What `pygen_auth.diagnose` finds, as data: checks, each with outcome, detail and advice.

Each step looks at one thing on the way from the settings to an answer of the API. Nothing here
prints; the command line shows the same report.
"""

from ._jwt import parts_of
from ._metadata import Metadata, diagnose_issuer, server_metadata
from ._report import Check, Diagnosis, refused_settings

__all__ = [
    "Check",
    "Diagnosis",
    "Metadata",
    "diagnose_issuer",
    "parts_of",
    "refused_settings",
    "server_metadata",
]
