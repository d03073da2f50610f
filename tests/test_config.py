"""Where settings come from, and which one wins."""

import pytest

from llmkit.config import Gate, Settings, load_settings, project_root, resolve_model, resolve_params
from llmkit.errors import DocumentError, UnknownNameError, UsageError

TOML = """\
model = "fast"
store = "runs"
concurrency = 8

[aliases]
fast = "openai/gpt-4o-mini"
best = "fast"

[budget]
max_cost_usd = 2.5

[prices."openai/gpt-4o-mini"]
input = 0.15
output = 0.6

[models."openai/gpt-4o-mini"]
temperature = 0
base_url = "http://127.0.0.1:1"
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "llmkit.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(**environment):
    return load_settings(environment=environment)


def test_the_file_says_it_all(project):
    settings = load()
    assert settings.root == project
    assert (settings.model, settings.model_origin) == ("fast", "llmkit.toml:1")
    assert settings.store_path == project / "runs"
    assert settings.concurrency == 8
    assert settings.max_cost_usd == 2.5
    assert settings.prices == {"openai/gpt-4o-mini": {"input": 0.15, "output": 0.6}}
    assert settings.models == {"openai/gpt-4o-mini": {"temperature": 0, "base_url": "http://127.0.0.1:1"}}


def test_without_a_file_the_store_lies_in_the_current_folder(tmp_path):
    settings = load_settings(tmp_path, {})
    assert settings.store_path == tmp_path / ".llmkit"
    assert (settings.path, settings.model) == (None, None)


def test_the_table_in_pyproject_does_as_well(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n\n[tool.llmkit]\nmodel = "a/b"\n')
    settings = load_settings(tmp_path, {})
    assert settings.model == "a/b"
    assert settings.model_origin.endswith("pyproject.toml:5")


def test_llmkit_toml_goes_before_pyproject(project):
    (project / "pyproject.toml").write_text('[tool.llmkit]\nmodel = "a/b"\n')
    assert load().model == "fast"


def test_the_nearest_file_above_counts(project):
    inner = project / "a" / "b"
    inner.mkdir(parents=True)
    (project / "a" / "pyproject.toml").write_text("[project]\n")  # has no table of llmkit's
    assert load_settings(inner, {}).root == project
    (project / "a" / "llmkit.toml").write_text('model = "x/y"')
    assert load_settings(inner, {}).model == "x/y"


def test_the_search_ends_at_the_top_of_the_git_repository(project):
    repository = project / "repository"
    (repository / ".git").mkdir(parents=True)
    (repository / "suites").mkdir()
    assert project_root(repository / "suites") == repository
    settings = load_settings(repository / "suites", {})
    assert (settings.model, settings.store_path) == (None, repository / ".llmkit")


def test_the_environment_goes_before_the_file(project):
    settings = load(LLMKIT_MODEL="a/b", LLMKIT_STORE="elsewhere")
    assert (settings.model, settings.model_origin) == ("a/b", "LLMKIT_MODEL")
    assert settings.store_path == project / "elsewhere"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('modle = "a/b"', r"llmkit.toml:1: .*modle.*Did you mean 'model'"),
        ("concurrency = 0", r"llmkit.toml:1: .*concurrency"),
        ("[budget]\nmax_cost_usd = -1", r"llmkit.toml:2: .*max_cost_usd"),
        ("[budget]\nmax_cost_usd = nan", r"llmkit.toml:2: "),
        ('[prices."a/b"]\ninput = 1', r"llmkit.toml:\d: .*output"),
        ("model = ", r"llmkit.toml:1: not TOML"),
        ('[aliases]\na = "b"\nb = "a"', r"llmkit.toml:\d: aliases in a circle: a → b → a"),
        ('[aliases]\nfast = "openai/x"\nbest = "fats"', r"llmkit.toml:3: unknown model 'fats'. Did you mean 'fast'\?"),
        ('[aliases]\n"a/b" = "c/d"', r"llmkit.toml:2: alias 'a/b' looks like a model"),
        (
            '[aliases]\nngram = "a/b"\n[models.ngarm]\nseed = 1',
            r"llmkit.toml:3: unknown alias 'ngarm'. Did you mean 'ngram'\?",
        ),
        ("[models.big]\nseed = 1", r"llmkit.toml:1: unknown alias 'big'. Name a model, .models.\"provider/model\"."),
    ],
)
def test_a_mistake_in_the_file_is_one_line_with_its_place(project, text, message):
    (project / "llmkit.toml").write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        load()
    assert "\n" not in str(caught.value)


SETTINGS = Settings(root=None, model="set/tings", model_origin="llmkit.toml:1", aliases={"fast": "openai/mini"})
NOWHERE = Settings(root=None)


@pytest.mark.parametrize(
    ("cli", "suite", "prompt", "settings", "expected"),
    [
        ("c/li", "su/ite", "pro/mpt", SETTINGS, ("c/li", "-m", None)),
        (None, "su/ite", "pro/mpt", SETTINGS, ("su/ite", "suite arithmetic.yaml:9", None)),
        (None, None, "pro/mpt", SETTINGS, ("pro/mpt", "prompt add.prompty", None)),
        (None, None, None, SETTINGS, ("set/tings", "llmkit.toml:1", None)),
        ("fast", None, None, SETTINGS, ("openai/mini", "-m", "fast")),
        (None, "fast", None, SETTINGS, ("openai/mini", "suite arithmetic.yaml:9", "fast")),
    ],
)
def test_the_model_is_the_command_lines_the_suites_the_prompts_the_files(cli, suite, prompt, settings, expected):
    where = {"suite_where": "arithmetic.yaml:9", "prompt_where": "add.prompty"}
    assert resolve_model(cli, suite, prompt, settings, **where) == expected


def test_no_model_at_all_says_where_to_name_one():
    with pytest.raises(UsageError, match=r"no model is named. Give one with -m provider/model, or .* in llmkit.toml"):
        resolve_model(None, None, None, NOWHERE)


def test_a_model_without_provider_offers_the_nearest_alias_or_the_right_form():
    with pytest.raises(UnknownNameError, match=r"-m: unknown model 'fats'. Did you mean 'fast'\?"):
        resolve_model("fats", None, None, SETTINGS)
    with pytest.raises(UnknownNameError, match=r"s.yaml:2: unknown model 'gpt-4o'. Write it as provider/model"):
        resolve_model(None, "gpt-4o", None, SETTINGS, suite_where="s.yaml:2")


@pytest.mark.parametrize("kind", ["suite", "prompt"])
def test_a_strangers_file_cannot_send_the_key_to_its_own_server(kind):
    models = {"suite": None, "prompt": None, kind: "openai/x@http://evil.example"}
    with pytest.raises(DocumentError, match=f"a {kind} may not name a server"):
        resolve_model(None, models["suite"], models["prompt"], NOWHERE)


def test_the_user_may_name_a_server():
    assert resolve_model("openai/x@http://127.0.0.1:1", None, None, NOWHERE)[0] == "openai/x@http://127.0.0.1:1"


def test_each_parameter_is_the_command_lines_the_suites_the_prompts_the_files(project):
    merged, origins = resolve_params(
        {"seed": 1},
        {"seed": 2, "top_p": 0.5},
        {"seed": 3, "top_p": 0.1, "max_tokens": 9},
        load(),
        "openai/gpt-4o-mini",
        suite_where="s.yaml:7",
        prompt_where="p.prompty",
    )
    assert merged == {
        "seed": 1,
        "top_p": 0.5,
        "max_tokens": 9,
        "temperature": 0,
        "base_url": "http://127.0.0.1:1",
    }
    assert origins == {
        "seed": "-M",
        "top_p": "suite s.yaml:7",
        "max_tokens": "prompt p.prompty",
        "temperature": "llmkit.toml:17",
        "base_url": "llmkit.toml:18",
    }


def test_parameters_of_another_model_do_not_count(project):
    assert resolve_params({}, {}, {}, load(), "openai/gpt-4o") == ({}, {})


CONFIGURATIONS = """\
[aliases]
plain = "a/b"
ngram = "a/b"
longer = "ngram"

[models.longer]
top_p = 0.3

[models.ngram]
temperature = 0.2
top_p = 0.2

[models."a/b"]
seed = 1
temperature = 0.1
top_p = 0.1
"""


@pytest.mark.parametrize(
    ("called", "expected"),
    [
        ("a/b", {"seed": 1, "temperature": 0.1, "top_p": 0.1}),
        ("plain", {"seed": 1, "temperature": 0.1, "top_p": 0.1}),
        ("ngram", {"seed": 1, "temperature": 0.2, "top_p": 0.2}),
        ("longer", {"seed": 1, "temperature": 0.2, "top_p": 0.3}),
    ],
)
def test_what_is_set_for_an_alias_holds_where_the_model_is_called_by_it(project, called, expected):
    (project / "llmkit.toml").write_text(CONFIGURATIONS)
    assert resolve_params({}, {}, {}, load(), called)[0] == expected


def test_each_setting_of_an_alias_says_where_it_stands(project):
    (project / "llmkit.toml").write_text(CONFIGURATIONS)
    origins = resolve_params({}, {}, {}, load(), "longer")[1]
    assert origins == {"seed": "llmkit.toml:14", "temperature": "llmkit.toml:10", "top_p": "llmkit.toml:7"}


def test_what_the_gate_does_is_set_in_a_table_of_its_own(project):
    assert load().gate == Gate(base=None, suites=None, max_age="7d", on_inconclusive=None)
    text = '[gate]\nbase = "origin/main"\nsuites = ["a.yaml"]\nmax_age = "12h"\non_inconclusive = "warn"\n'
    (project / "llmkit.toml").write_text(text)
    settings = load()
    assert settings.gate == Gate(base="origin/main", suites=["a.yaml"], max_age="12h", on_inconclusive="warn")
    assert settings.where("gate", "base") == "llmkit.toml:2"
    assert load_settings(project.parent, {}).gate == Gate()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('bsae = "main"', r"llmkit\.toml:2: unknown field 'gate\.bsae'. Did you mean 'base'\?"),
        ('base = ""', r"llmkit\.toml:2: gate\.base"),
        ('max_age = "a week"', r"llmkit\.toml:2: gate\.max_age"),
        ('max_age = "7"', r"llmkit\.toml:2: gate\.max_age"),
        ("max_age = 7", r"llmkit\.toml:2: gate\.max_age"),
        ('on_inconclusive = "ignore"', r"llmkit\.toml:2: gate\.on_inconclusive"),
        ('suites = "a.yaml"', r"llmkit\.toml:2: gate\.suites"),
    ],
)
def test_a_mistake_in_the_gates_table_is_one_line_with_its_place(project, line, message):
    (project / "llmkit.toml").write_text(f"[gate]\n{line}\n")
    with pytest.raises(DocumentError, match=message) as caught:
        load()
    assert "\n" not in str(caught.value)
