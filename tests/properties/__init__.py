"""What must hold whatever comes: hypothesis looks for the case in which it does not.

`make test` looks at a few cases, the same each time; `make fuzz` at many, others each time.
"""

from __future__ import annotations

from hypothesis import settings


def examples(share: float, steps: int | None = None, most: int = 10_000) -> settings:
    """That share of the profile's cases, by what one of them costs; `steps` in each at most."""
    profile = settings()
    return settings(
        max_examples=min(most, int(profile.max_examples * share)),
        stateful_step_count=steps or profile.stateful_step_count,
    )
