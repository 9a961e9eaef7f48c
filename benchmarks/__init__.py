"""Speed and memory of pygen_auth, held to goals. Run with `make bench` or `python -m benchmarks`.

Absolute times say as much about the machine as about the library, so nearly all goals are ratios
of two figures taken in turns within one run, or counts.
"""
