"""A fleet of workers over a day, on a simulated clock: how many token requests it makes.

The workers have the real credentials: every rule about time, pauses and the store is the library's
own code. Replaced are the clock, the network, and the threads that a store is used in.
Run with `make fleet` or `python -m benchmarks.fleet`. It writes `results.json` and the plot of the
docs. The same seed gives the same figures.
"""
