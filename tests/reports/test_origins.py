"""What set what."""

from llmkit.reports.origins import options, parameters

ORIGINS = {
    "model": "-m",
    "temperature": "suite s.yaml:3",
    "extra.a": "-M",
    "extra.b": "-M",
    "base_url": "llmkit.toml:4",
}
PARAMS = {"temperature": 0, "extra": {"a": 1, "b": 2}, "seed": 7}


def test_each_parameter_has_its_origin_and_what_is_in_extra_those_of_its_parts():
    assert list(parameters(PARAMS, ORIGINS)) == [
        ("temperature", 0, "suite s.yaml:3"),
        ("extra", {"a": 1, "b": 2}, "-M"),
        ("seed", 7, "--seed"),
    ]


def test_what_is_no_parameter_is_an_option_whose_value_is_not_shown():
    assert list(options(PARAMS, ORIGINS)) == [("base_url", "llmkit.toml:4")]
