"""``llmkit.toml`` and the environment → ``Settings``; and which model and parameters hold, and why.

    -m, -M  >  suite  >  prompt  >  LLMKIT_MODEL  >  llmkit.toml

The file is ``llmkit.toml``, or the table ``[tool.llmkit]`` of ``pyproject.toml``, in the current folder or the nearest
one above it, up to the top of the git repository.

``[models.NAME]`` sets parameters and options of a model by its name, ``provider/model``, or by an alias: those hold
where the model is named by that alias. What is nearer to the name that was written goes before:

    the alias written  >  the alias that it stands for  >  provider/model
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from llmkit.documents import Document, read_toml, validate
from llmkit.errors import DocumentError, UnknownNameError, UsageError, nearest

FILE = "llmkit.toml"
TABLE = ("tool", "llmkit")

Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Budget(BaseModel):
    """What may be spent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_cost_usd: Dollars | None = Field(
        default=None,
        description="Dollars that one call of llmkit eval may cost at most, over all its runs; --max-cost comes first.",
    )


class Price(BaseModel):
    """Dollars a million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Dollars = Field(description="Dollars a million prompt tokens.")
    output: Dollars = Field(description="Dollars a million generated tokens.")
    cached: Dollars | None = Field(
        default=None, description="Dollars a million prompt tokens read from the provider's cache."
    )
    cache_write: Dollars | None = Field(default=None, description="Dollars a million prompt tokens written to it.")


class Gate(BaseModel):
    """What `llmkit gate` does where its command line does not say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str | None = Field(
        default=None, min_length=1, description="The branch, tag or commit that a change is compared with; --base."
    )
    suites: list[str] | None = Field(
        default=None,
        description="Suites that are gated, relative to this file; where not set, all of the project that have gate:.",
    )
    max_age: Annotated[str, Field(pattern=r"^\d+[smhd]$")] = Field(
        default="7d", description="How old a base answer from the cache may be: 30m, 12h, 7d."
    )
    on_inconclusive: Literal["fail", "warn", "pass"] | None = Field(
        default=None, description="What too little evidence means: exit 1, or exit 0; where not set, exit 3."
    )


class ConfigSpec(BaseModel):
    """The file llmkit.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="llmkit.toml")

    model: str | None = Field(default=None, description="The default model, as provider/model or as an alias.")
    aliases: dict[str, str] = Field(default={}, description="Short name → provider/model, or another alias.")
    store: str = Field(default=".llmkit", description="Folder of runs and cached answers, relative to this file.")
    budget: Budget = Field(default=Budget(), description="What may be spent.")
    gate: Gate = Field(default=Gate(), description="What `llmkit gate` does.")
    prices: dict[str, Price] = Field(
        default={}, description="provider/model → its prices, in place of the published ones."
    )
    models: dict[str, dict[str, Any]] = Field(
        default={},
        description="provider/model, or an alias → sampling parameters and the provider's own options, as -M sets them;"
        " an alias's hold where the model is named by it, and go before the model's.",
    )
    concurrency: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Calls in flight; where not set, it adapts to the server."
    )


@dataclass(frozen=True)
class Settings:
    """What holds for a project.

    Attributes:
        root: The project's folder: the file's, else the git repository's, else the current one.
        path: The file; None where there is none.
        model: The default model, not yet resolved.
        model_origin: What set it.
        aliases: Short name → model.
        store_path: Folder of runs and cached answers.
        max_cost_usd: What one call of ``eval`` may cost at most, over all its runs.
        prices: provider/model → dollars a million tokens, by kind.
        models: provider/model or alias → parameters and options.
        concurrency: Calls in flight; None: adapts.
        gate: What ``llmkit gate`` does where its command line does not say.
        document: The file as read, for the lines of its fields.
    """

    root: Path
    path: Path | None = None
    model: str | None = None
    model_origin: str | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    store_path: Path = Path(".llmkit")
    max_cost_usd: float | None = None
    prices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    concurrency: int | None = None
    gate: Gate = field(default_factory=Gate)
    document: Document | None = field(default=None, repr=False, compare=False)

    def where(self, *keys: str) -> str:
        """``path:line`` of a field of the file."""
        return self.document.where(*keys) if self.document else FILE

    def resolve_alias(self, name: str, *, where: str | None = None) -> str:
        """Follow aliases to ``provider/model``.

        Raises:
            UsageError: Where the aliases lead round in a circle.
            UnknownNameError: Where the name is neither an alias nor has a provider.
        """
        return self.way(name, where=where)[-1]

    def way(self, name: str, *, where: str | None = None) -> tuple[str, ...]:
        """Return the name itself, each alias that it leads to, and last ``provider/model``.

        Raises:
            UsageError: Where the aliases lead round in a circle.
            UnknownNameError: Where the name is neither an alias nor has a provider.
        """
        way = [name]
        while name in self.aliases:
            name = self.aliases[name]
            if name in way:
                circle = " → ".join([*way, name])
                raise UsageError(f"aliases in a circle: {circle}", where=self.where("aliases", way[-1]))
            way.append(name)
        if "/" not in name:
            hint = nearest(name, self.aliases)
            if not hint.startswith("Did you mean"):
                hint = f"Write it as provider/model, say openai/{name}, or give it under [aliases] in {FILE}"
            raise UnknownNameError("model", name, self.aliases, where=where, hint=hint)
        return tuple(way)


def load_settings(start: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Find and read the configuration.

    Args:
        start: The folder to start from; the current one by default.
        environment: In place of the process's own; ``LLMKIT_MODEL`` and ``LLMKIT_STORE`` are read.

    Raises:
        DocumentError: For a file that is wrong.
    """
    environment = os.environ if environment is None else environment
    start = start or Path.cwd()
    document, root = _find(start)
    settings = _settings(document, root) if document else Settings(root=root, store_path=root / ConfigSpec().store)
    changes: dict[str, Any] = {}
    if model := environment.get("LLMKIT_MODEL"):
        changes |= {"model": model, "model_origin": "LLMKIT_MODEL"}
    if store := environment.get("LLMKIT_STORE"):
        changes["store_path"] = start / Path(store).expanduser()
    return Settings(**{**settings.__dict__, **changes})


def project_root(start: Path) -> Path | None:
    """Return the folder of the nearest configuration at or above ``start``, else of its git repository, else None."""
    top: Path | None = None
    for folder in _upward(start):
        if (folder / FILE).is_file() or _has_table(folder / "pyproject.toml"):
            return folder
        if (folder / ".git").exists():
            top = folder
    return top


def _upward(start: Path) -> list[Path]:
    """``start`` and the folders above it, up to the top of its git repository."""
    start = start.resolve()
    folders = [start, *start.parents]
    for position, folder in enumerate(folders):
        if (folder / ".git").exists():
            return folders[: position + 1]
    return folders


def _has_table(pyproject: Path) -> bool:
    return pyproject.is_file() and bool(read_toml(pyproject, TABLE).data)


def _find(start: Path) -> tuple[Document | None, Path]:
    root = project_root(start)
    if root is None:
        return None, start
    if (root / FILE).is_file():
        return read_toml(_shown(root / FILE)), root
    if _has_table(root / "pyproject.toml"):
        return read_toml(_shown(root / "pyproject.toml"), TABLE), root
    return None, root


def _shown(path: Path) -> Path:
    """Shorten to what a user in the current folder would type."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def _settings(document: Document, root: Path) -> Settings:
    spec = validate(ConfigSpec, document)
    for alias in spec.aliases:
        if "/" in alias:
            where = document.where("aliases", alias)
            raise DocumentError(f"alias {alias!r} looks like a model", where=where, hint="Leave out the slash")
    settings = Settings(
        root=root,
        path=document.path,
        model=spec.model,
        model_origin=document.where("model") if spec.model else None,
        aliases=spec.aliases,
        store_path=root / Path(spec.store).expanduser(),
        max_cost_usd=spec.budget.max_cost_usd,
        prices={name: price.model_dump(exclude_none=True) for name, price in spec.prices.items()},
        models=spec.models,
        concurrency=spec.concurrency,
        gate=spec.gate,
        document=document,
    )
    for alias in spec.aliases:
        settings.resolve_alias(alias, where=document.where("aliases", alias))
    for name in spec.models:
        if "/" not in name and name not in spec.aliases:
            where = document.where("models", name)
            raise UnknownNameError("alias", name, spec.aliases, where=where, hint=_no_alias(name, spec))
    return settings


def _no_alias(name: str, spec: ConfigSpec) -> str:
    hint = nearest(name, spec.aliases)
    if hint.startswith("Did you mean"):
        return hint
    return f'Name a model, [models."provider/model"], or say what {name} is: [aliases] {name} = "provider/model"'


class Named(NamedTuple):
    """Which model is asked.

    Attributes:
        model: ``provider/model``.
        origin: What decided that: ``-m``, ``suite arithmetic.yaml:9``.
        alias: What it was called there; None where it was called by its name.
    """

    model: str
    origin: str
    alias: str | None

    @property
    def called(self) -> str:
        """The name as it was written."""
        return self.alias or self.model


def resolve_model(
    cli: str | None,
    suite: str | None,
    prompt: str | None,
    settings: Settings,
    *,
    suite_where: str | None = None,
    prompt_where: str | None = None,
) -> Named:
    """Say which model is asked, and what decided that.

    Raises:
        UsageError: Where no model is named, an alias leads nowhere, or a suite or prompt names a server: those may be
            a stranger's, and the API key would go there.
    """
    if cli is not None:
        return _named(settings, cli, "-m", "-m")
    for kind, name, where in (("suite", suite, suite_where), ("prompt", prompt, prompt_where)):
        if name is None:
            continue
        if "://" in name:
            raise DocumentError(
                f"a {kind} may not name a server: {name!r}", where=where, hint=f"Give it with -m, or in {FILE}"
            )
        return _named(settings, name, where, f"{kind} {where}" if where else kind)
    if settings.model is not None:
        origin = settings.model_origin or FILE
        return _named(settings, settings.model, origin, origin)
    raise UsageError("no model is named", hint=f'Give one with -m provider/model, or write model = "…" in {FILE}')


def _named(settings: Settings, name: str, where: str | None, origin: str) -> Named:
    model = settings.resolve_alias(name, where=where)
    return Named(model, origin, None if name == model else name)


def resolve_params(
    cli: Mapping[str, Any],
    suite: Mapping[str, Any],
    prompt: Mapping[str, Any],
    settings: Settings,
    called: str,
    *,
    suite_where: str | None = None,
    prompt_where: str | None = None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Merge the parameters and options set for a model, and say of each what set it.

    Args:
        cli: ``-M``'s.
        suite: The suite's.
        prompt: The prompt's.
        settings: The project's.
        called: The model as it was named, by an alias or as ``provider/model``: an alias's settings are its own.
        suite_where: ``path:line``.
        prompt_where: Likewise.

    Raises:
        UsageError: An alias leads nowhere.
    """
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name in reversed(settings.way(called)):
        values = settings.models.get(name, {})
        merged |= values
        origins |= {key: settings.where("models", name, key) for key in values}
    for kind, where, values in (("prompt", prompt_where, prompt), ("suite", suite_where, suite), ("-M", None, cli)):
        merged |= values
        origins |= {key: f"{kind} {where}" if where else kind for key in values}
    return merged, origins
