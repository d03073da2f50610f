"""What a command says while it asks for an A/A run: a bar an arm, and how to go on with what was interrupted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llmkit.cli.session import Session
from llmkit.cli.thresholds import Thresholds
from llmkit.runs.plan import Plan


class Asking(Session):
    """A session whose runs are arms: they are reported together, so none of them is printed alone."""

    def __init__(self) -> None:
        super().__init__(as_json=False, ask=False, thresholds=Thresholds.parse([], [], []))

    def planned(self, plans: Sequence[tuple[str, Plan]], resumed: Mapping[str, float]) -> None:
        """Say what will be asked, and name each arm."""
        super().planned(plans, resumed)
        for run_id, plan in plans:
            self._names[run_id] = f"{self._names[run_id]} · arm {plan.arm}"

    def _print(self) -> None:
        """Print nothing: the noise floor is the result."""
