"""Where settings come from besides arguments: the environment, and configuration as data.

Both are read here, and nothing is sent. No value of a variable or a key stands in a message:
somebody's secret may have got into the wrong one.
"""

from .config import from_config
from .environment import from_environment
from .settings import ClientCredentialsSettings, Settings, TokenSettings

__all__ = [
    "ClientCredentialsSettings",
    "Settings",
    "TokenSettings",
    "from_config",
    "from_environment",
]
