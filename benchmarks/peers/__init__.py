"""pygen_auth beside what a user would pick instead: the same calls, the same server, one machine.

Run with `make bench-peers` or `python -m benchmarks.peers`, with names of scenarios for a part of
it. It needs the environment that `requirements.txt` describes. All candidates take turns within
one run; one of all scenarios writes `results.json`, and the tables and the chart of the docs.
"""
