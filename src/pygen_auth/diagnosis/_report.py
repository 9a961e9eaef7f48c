"""The report as values: a check, and all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from .._errors import ConfigurationError
from ._redaction import Redaction

Outcome = Literal["running", "ok", "warning", "failed", "not run"]
"""Of a step. A "warning" works today; "not run" depends on a failed step, or has nothing to do."""

STEPS = (
    *("settings", "name", "connection", "proxy", "tls", "discovery", "clock"),
    *("token request", "token", "as asked", "lifetime", "call"),
)
"""All steps, in their order."""


@dataclass(frozen=True)
class Check:
    """One step of a diagnosis, and what was found. It shows no secret and no token."""

    name: str
    """Of the step: "settings", "name", "connection", …"""
    outcome: Outcome
    """How it ended."""
    detail: str = ""
    """What was found, in one line."""
    advice: str | None = None
    """What to do, in one sentence; None where nothing is to be done."""
    seconds: float = 0.0
    """The step took that long."""
    found: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The same for programs, such as the claims of a token. Values of JSON."""


@dataclass(frozen=True)
class Diagnosis:
    """What a diagnosis found: the checks, in the order of the steps."""

    checks: tuple[Check, ...]
    """One for each step."""

    @property
    def ok(self) -> bool:
        """Whether no step failed. Warnings do not count."""
        return all(check.outcome != "failed" for check in self.checks)

    def check(self, name: str) -> Check:
        """The check of that name.

        Raises:
            KeyError: there is none.
        """
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(name)

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {"ok": self.ok, "checks": [asdict(check) for check in self.checks]}

    def __str__(self) -> str:
        """One line for each step, and one for each advice."""
        lines = []
        for check in self.checks:
            lines.append(f"{check.outcome:<8} {check.name:<14} {check.detail}".rstrip())
            if check.advice:
                lines.append(f"{'':<24}{check.advice}")
        return "\n".join(lines)


def refused_settings(error: ConfigurationError, *, redact: bool = True) -> Diagnosis:
    """The report where there are no credentials, since their settings cannot be right."""
    show = Redaction(ids=redact).value
    first = Check("settings", "failed", show(str(error.args[0])), show(error.hint))
    return Diagnosis((first, *not_run_behind("settings")))


def not_run_behind(failed: str) -> tuple[Check, ...]:
    """The steps that follow, none of which is run."""
    rest = STEPS[STEPS.index(failed) + 1 :]
    return tuple(Check(name, "not run", f"needs {failed}") for name in rest)
