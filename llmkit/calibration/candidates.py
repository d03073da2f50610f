"""``--search grid.yaml``: models × prompts × labelled examples × methods × parameters, each combination a judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from llmkit.config import Settings, project_root, resolve_params
from llmkit.documents import Document, read_yaml, validate
from llmkit.documents.paths import confined
from llmkit.errors import DocumentError, UsageError, nearest
from llmkit.judges.judge import Example, Judge
from llmkit.judges.labels import Labelled
from llmkit.judges.load import OWN_FILES, PROMPTS, check_prompt
from llmkit.judges.panel import check_seat
from llmkit.judges.spec import MethodSpec, SearchSpec
from llmkit.prompts import Prompt, load_prompt
from llmkit.providers.base import ModelRef, Provider
from llmkit.providers.params import check_params, split
from llmkit.providers.registry import create, normalise, options_of

MOST = 200
"""Configurations of one grid. The winner's curse grows with them, and every one is asked at least a few items."""


@dataclass(frozen=True, slots=True)
class Grid:
    """What ``--search`` names.

    Attributes:
        spec: What the file says.
        document: The file, for lines.
    """

    spec: SearchSpec
    document: Document

    @property
    def folder(self) -> Path:
        """Where its prompt files are looked for."""
        return self.document.path.parent if self.document.path else Path()

    def where(self, *keys: str | int) -> str:
        """``path:line`` of a field."""
        return self.document.where(*keys)


@dataclass(frozen=True, slots=True)
class Configuration:
    """One candidate.

    Attributes:
        name: What differs among the candidates, short: ``gpt-4o · strict.prompty · 4 shots · reason after``.
        settings: The same as data: ``model``, ``prompt``, ``few_shot``, ``method.*``, ``params.*``.
        judge: The judge with these settings.
        places: Field of the judge (``model``, ``method``) → ``path:line`` in the grid, of those that the grid names.
    """

    name: str
    settings: Mapping[str, Any]
    judge: Judge
    places: Mapping[str, str] = field(default_factory=dict)


def read_grid(path: Path | str) -> Grid:
    """Read a file of ``--search``.

    Raises:
        DocumentError: It is wrong (``path:line``), or there is nothing to choose from.
    """
    document = read_yaml(path)
    spec = validate(SearchSpec, document)
    if not spec.model_fields_set:
        raise DocumentError(
            "the search names nothing to try",
            where=document.where(),
            hint=f"Give lists of {', '.join(SearchSpec.model_fields)}",
        )
    return Grid(spec, document)


def examples_needed(grid: Grid | None, judge: Judge) -> int:
    """Return how many labelled items the prompts show at most: the few-shot part must hold so many."""
    tried = grid.spec.few_shot if grid is not None and grid.spec.few_shot is not None else []
    return max([*tried, len(judge.examples)])


def candidates(judge: Judge, grid: Grid | None, pool: Sequence[Labelled], *, settings: Settings) -> list[Configuration]:
    """Return the configurations, the judge's own first, equal ones once.

    Args:
        judge: As its file says.
        grid: What to try; None: the judge alone.
        pool: The few-shot part, in the order in which examples are taken, balanced over the classes
            (``judges.split.Division.few_shot``): all candidates with k examples show the first k of them.
        settings: The project's models and aliases.

    Raises:
        DocumentError: A model, prompt, method or parameter that cannot be, with ``path:line``; too many candidates;
            more examples than ``pool`` has.
    """
    own = _settings_of(judge)
    if grid is None:
        return [Configuration(judge.model.name, {}, judge)]
    found = [(judge, own)]
    places: list[Mapping[str, str]] = [{}]
    known = {judge.fingerprint}
    for each, named in _combined(judge, grid, pool, settings):
        if each.fingerprint not in known:
            known.add(each.fingerprint)
            found.append((each, _settings_of(each)))
            places.append(named)
        if len(found) > MOST:
            raise DocumentError(f"more than {MOST} candidates", where=grid.where(), hint="Try fewer at a time")
    varying = [key for key in _keys(found) if len({repr(said.get(key)) for _, said in found}) > 1]
    return _distinct(
        [
            Configuration(_name(each, said, varying), _picked(said, varying), each, where)
            for (each, said), where in zip(found, places, strict=True)
        ]
    )


def provider_of(each: Configuration, given: Mapping[str, Provider]) -> Provider:
    """Build a candidate's provider, to show and price requests, and make sure that it can be asked as its method wants.

    Args:
        each: The candidate.
        given: Model name → a provider made already.

    Raises:
        UsageError: No such model, or one that gives no log-probabilities; with the place that names it.
    """
    judge = each.judge
    try:
        provider = given.get(judge.model.name) or create(judge.model, display=True)
    except UsageError as error:
        error.where = error.where or each.places.get("model", judge.where("model"))
        raise
    try:
        check_seat(judge, provider)
    except UsageError as error:
        if "method" in each.places:  # the judge's own file does not ask for it
            error.where, error.hint = each.places["method"], "Leave logprobs out, or try models that give them"
        raise
    return provider


def _combined(
    judge: Judge, grid: Grid, pool: Sequence[Labelled], settings: Settings
) -> Iterator[tuple[Judge, dict[str, str]]]:
    """Yield each combination, and the lines of the model and the method that the grid names."""
    spec = grid.spec
    prompts = [judge.prompt]
    if spec.prompt is not None:
        prompts = [_prompt(grid, place, judge) for place in range(len(spec.prompt))]
    shots = [judge.examples]
    if spec.few_shot is not None:
        shots = [_shots(grid, place, pool) for place in range(len(spec.few_shot))]
    methods: list[tuple[MethodSpec, dict[str, str]]] = [(judge.method, {})]
    if spec.method is not None:
        methods = [
            (_method(grid, place, judge), {"method": grid.where("method", place)}) for place in range(len(spec.method))
        ]
    for name, where in _named(judge, grid):
        there = {} if name is None else {"model": where}
        for prompt, examples, (method, asked) in product(prompts, shots, methods):
            base = _model(judge, prompt, name, where, settings)
            for model in _tuned(base, grid):
                said = replace(judge, model=model, prompt=prompt, examples=examples, method=method)
                yield said, {**there, **asked}


def _named(judge: Judge, grid: Grid) -> list[tuple[str | None, str]]:
    """Return the models that are named, with their lines; None: the judge's own."""
    if grid.spec.model is None:
        return [(None, judge.where("model"))]
    return [(name, grid.where("model", place)) for place, name in enumerate(grid.spec.model)]


def _tuned(base: ModelRef, grid: Grid) -> list[ModelRef]:
    """Return a model with each set of parameters."""
    if grid.spec.params is None:
        return [base]
    return [_with(base, pairs, grid.where("params", place)) for place, pairs in enumerate(grid.spec.params)]


def _model(judge: Judge, prompt: Prompt, name: str | None, where: str, settings: Settings) -> ModelRef:
    """Return a model with what is set for it: in llmkit.toml, by the prompt, by the judge; the last goes first."""
    if name is not None and "://" in name:  # a grid may be a stranger's, and the API key would go there
        raise DocumentError(f"a search may not name a server: {name!r}", where=where, hint="Make it an alias")
    called = name or judge.spec.model
    resolved = settings.resolve_alias(called, where=where)
    same = name is None or (
        resolved == judge.model.name and _tables(called, settings) == _tables(judge.spec.model, settings)
    )
    if same and dict(prompt.params) == dict(judge.prompt.params):
        return judge.model
    try:
        bare = judge.model if same else normalise(ModelRef(resolved))
    except UsageError as error:
        raise DocumentError(error.message, where=where, hint=error.hint) from None
    own = judge.spec.params.model_dump(exclude_none=True) if judge.spec.params else {}
    merged, _ = resolve_params({}, own, prompt.params, settings, called)
    alias = None if called == resolved else called
    return _with(ModelRef(bare.name, {}, bare.options, alias), merged, where)


def _tables(called: str, settings: Settings) -> list[str]:
    """Return the tables of llmkit.toml that set something for a model that is called so."""
    return [name for name in settings.way(called) if name in settings.models]


def _with(base: ModelRef, pairs: Mapping[str, Any], where: str) -> ModelRef:
    """Return a model with further parameters and options."""
    params, options = split(pairs, options_of(base.provider), where=where)
    check_params(params, where=where)
    return replace(base, params={**base.params, **params}, options={**base.options, **options})


def _prompt(grid: Grid, place: int, judge: Judge) -> Prompt:
    assert grid.spec.prompt is not None
    name, where = grid.spec.prompt[place], grid.where("prompt", place)
    root = project_root(grid.folder.resolve())
    file = confined(name, base=grid.folder, roots=[root] if root else [], where=where, hint=OWN_FILES)
    if file.suffix not in PROMPTS:  # a stranger's grid shall not send .env to a model
        raise DocumentError(f"{name!r} is no prompt file", where=where, hint=f"Its ending is {' or '.join(PROMPTS)}")
    if not file.is_file():
        beside = file.parent.iterdir() if file.parent.is_dir() else ()
        near = nearest(file.name, [each.name for each in beside if each.suffix in PROMPTS])
        raise DocumentError(f"no prompt file {str(file)!r}", where=where, hint=near)
    prompt = load_prompt(file)
    check_prompt(prompt, judge.scale)
    return prompt


def _shots(grid: Grid, place: int, pool: Sequence[Labelled]) -> tuple[Example, ...]:
    assert grid.spec.few_shot is not None
    wanted = grid.spec.few_shot[place]
    usable = [Example(item.subject, item.label) for item in pool if item.label is not None]
    if wanted > len(usable):
        raise DocumentError(
            f"{wanted} examples are wanted, and {len(usable)} labelled items may be shown",
            where=grid.where("few_shot", place),
            hint="Show fewer, or label more",
        )
    return tuple(usable[:wanted])


def _method(grid: Grid, place: int, judge: Judge) -> MethodSpec:
    """Return a method of the grid, checked as the judge's own is."""
    assert grid.spec.method is not None
    method, where = grid.spec.method[place], grid.where("method", place)
    if method.swap and judge.scale.kind != "pairwise":
        raise DocumentError("swap is for kind: pairwise", where=where, hint="Leave it out")
    if method.logprobs and (method.samples > 1 or method.reason == "after"):
        raise DocumentError("logprobs goes with samples: 1 and reason: before or none", where=where)
    return method


def _settings_of(judge: Judge) -> dict[str, Any]:
    path = judge.prompt.path
    said: dict[str, Any] = {
        "model": judge.model.name,
        "prompt": judge.prompt.name if path is None else path.name,
        "few_shot": len(judge.examples),
    }
    said |= {f"method.{key}": value for key, value in judge.method.model_dump().items()}
    said |= {f"params.{key}": value for key, value in {**judge.model.options, **judge.model.params}.items()}
    return said


def _keys(found: Sequence[tuple[Judge, Mapping[str, Any]]]) -> list[str]:
    return list(dict.fromkeys(key for _, said in found for key in said))


def _picked(said: Mapping[str, Any], varying: Sequence[str]) -> dict[str, Any]:
    return {key: said[key] for key in varying if key in said}


def _name(judge: Judge, said: Mapping[str, Any], varying: Sequence[str]) -> str:
    return " · ".join(_word(key, said.get(key)) for key in varying) or judge.model.name


def _word(key: str, value: Any) -> str:
    if key in ("model", "prompt"):
        return str(value).rpartition("/")[2]
    if key == "few_shot":
        return f"{value} shot{'' if value == 1 else 's'}"
    word = key.partition(".")[2]
    if isinstance(value, bool):
        return word if value else f"no {word}"
    return f"{word} {'as set elsewhere' if value is None else value}"


def _distinct(named: Sequence[Configuration]) -> list[Configuration]:
    """Number those whose names are equal: two models or files that differ in what the name leaves out."""
    seen: dict[str, int] = {}
    result = []
    for each in named:
        seen[each.name] = seen.get(each.name, 0) + 1
        again = seen[each.name]
        result.append(each if again == 1 else replace(each, name=f"{each.name} ({again})"))
    return result
