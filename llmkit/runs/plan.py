"""What a run is: everything that decides its result, and the digest of that."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from llmkit.canonical import canonical, digest
from llmkit.providers.base import HasEndpoint, ModelRef, Provider
from llmkit.providers.registry import public
from llmkit.runs.entries import entries_of
from llmkit.runs.passing import metrics_of
from llmkit.suites.form import Form
from llmkit.suites.suite import Suite
from llmkit.version import __version__

# The suite's folder may be a stranger's: its .git/config shall start no program, and nothing is written there.
GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-optional-locks")
GIT_ENV = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}  # nor is anything fetched


@dataclass(frozen=True)
class Plan:
    """One suite on one model.

    Attributes:
        suite: What is asked and how it is scored.
        model: Who is asked, with sampling parameters and the provider's options.
        epochs: How often each sample is asked.
        limit: Only the first rows of the data set; None for all.
        seed: Of the bootstrap, and of sampling where the provider's wire carries one.
        origins: Where the model and each parameter were set, for people.
        rows: How many rows will be asked, bad ones included; None while not counted.
        experiment: What tells the run from a plain evaluation: the gate or A/A run that it is a side of. ``arm`` in it
            makes its answers replicates of their own, which share none with another arm.
        pass_k: For which k pass@k and pass^k are made.
    """

    suite: Suite
    model: ModelRef
    epochs: int = 1
    limit: int | None = None
    seed: int = 0
    origins: Mapping[str, str] = field(default_factory=dict)
    rows: int | None = None
    experiment: Mapping[str, Any] = field(default_factory=dict)
    pass_k: tuple[int, ...] = ()

    @property
    def arm(self) -> int:
        """The replicate that its answers are; 0 outside of A/A runs."""
        return int(self.experiment.get("arm", 0))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics that there will be."""
        return tuple(name for scorer in self.suite.scorers for name in metrics_of(scorer, self.pass_k, self.epochs))

    @property
    def form(self) -> Form | None:
        """What the answers go through before they are scored."""
        return self.suite.form

    @property
    def attempts(self) -> int:
        """Calls that a sample takes at most."""
        form = self.suite.form
        return 1 if form is None or form.strategy == "plain" else form.policy.max_attempts

    @cached_property
    def form_digest(self) -> str:
        """The hash of the form and of how it is obtained; empty without one."""
        return "" if self.suite.form is None else digest(self.suite.form.definition())

    def config(self, identity: Mapping[str, str]) -> dict[str, Any]:
        """Return everything that decides the result, as plain data."""
        return {
            "suite": self.suite.definition(),
            "fingerprints": self.suite.fingerprints(),
            "model": dict(identity),
            "params": dict(self.model.params),
            "epochs": self.epochs,
            "limit": self.limit,
            "seed": self.seed,
            **({"pass_k": list(self.pass_k)} if self.pass_k else {}),
            **({"experiment": dict(self.experiment)} if self.experiment else {}),
        }


def changed_keys(before: Any, after: Any, at: str = "") -> Iterator[str]:
    """Name the keys, in dotted form, in which two configurations differ."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from changed_keys(before.get(key), after.get(key), f"{at}.{key}" if at else key)
    elif canonical(before) != canonical(after):
        yield at


def new_run_id(now: float | None = None) -> str:
    """Make an id that sorts by time: ``20261122-043112-3f9c``, in UTC."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    return f"{stamp}-{secrets.token_hex(2)}"


def about(plan: Plan, provider: Provider) -> dict[str, Any]:
    """Return what was true of a run but does not decide its result; no secret is among it."""
    shown = public(plan.model)
    return {
        "endpoint": asdict(provider.endpoint()) if isinstance(provider, HasEndpoint) else None,
        "llmkit": __version__,
        "git": git_commit(plan.suite.path.parent if plan.suite.path else Path.cwd()),
        "suite_path": str(plan.suite.path) if plan.suite.path else None,
        **({} if plan.suite.variant is None else {"variant": plan.suite.variant}),
        "model": shown.name,
        **({} if shown.alias is None else {"alias": shown.alias}),
        "options": dict(shown.options),
        "origins": dict(plan.origins),
        **entries_of(plan.suite.entries, plan.suite.scorers, plan.suite.path),
        "slices": list(plan.suite.slice_names),
    }


def git_commit(folder: Path) -> str | None:
    """Return the commit that is checked out; None outside of a repository.

    ``+dirty`` is appended where files differ, and ``+unknown`` where that cannot be told without starting a program
    that the repository's own configuration names.
    """
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if not commit:
        return None
    filters = _git(folder, "config", "--includes", "--show-scope", "--get-regexp", r"^filter\..*\.(clean|process)$")
    if any(line.startswith(("local", "worktree")) for line in (filters or "").splitlines()):
        return f"{commit}+unknown"
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all")
    return f"{commit}+unknown" if changes is None else f"{commit}+dirty" if changes else commit


def _git(folder: Path, *words: str) -> str | None:
    """Run git in a folder that may be a stranger's; None where it fails."""
    try:
        said = subprocess.run(  # noqa: S603
            [*GIT, "-C", str(folder), *words],
            capture_output=True, text=True, errors="replace", timeout=10, check=False, env={**os.environ, **GIT_ENV},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout.strip() if said.returncode == 0 else None
