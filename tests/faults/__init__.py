"""The fault matrix: whatever a token endpoint, or the way to it, can do, at each moment of a token.

`make faults` plays all of it and writes docs/reliability.md; `make test` plays each fault once at
each moment. The faults are data: `connections`, `statuses`, `bodies` and `fields` list them.
"""
