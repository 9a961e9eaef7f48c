"""The same servers as for the Cognite SDK, on which Pygen's clients stand."""

from __future__ import annotations

from compat.cognite_sdk.conftest import authority, clock, data_fusion, internet

__all__ = ["authority", "clock", "data_fusion", "internet"]
