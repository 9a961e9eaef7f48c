"""Threads, event loops, refusals, settings, clocks and faults at once, for as long as one likes.

`make test` does so for a moment, `make stress` for a minute, or for PYGEN_AUTH_STRESS_SECONDS.
"""
