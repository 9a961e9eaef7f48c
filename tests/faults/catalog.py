"""All faults, in the order of the page."""

from __future__ import annotations

from .bodies import BODIES
from .connections import CONNECTIONS, FORMS, NAMES, PROXIES, TLS
from .fields import ACCESS_TOKENS, ERRORS_IN_BODIES, EXTRAS, LIFETIMES, TOKEN_TYPES
from .statuses import LEFT_ALONE, REDIRECTED, REFUSALS

FAULTS = (
    *(*NAMES, *CONNECTIONS, *TLS, *PROXIES, *FORMS),
    *(*REDIRECTED, *REFUSALS, *LEFT_ALONE),
    *BODIES,
    *(*ACCESS_TOKENS, *TOKEN_TYPES, *LIFETIMES, *ERRORS_IN_BODIES, *EXTRAS),
)
