"""The JSON document of a plan."""

import json

import jsonschema

from llmkit.reports.plan_document import plans_document, plans_schema
from tests.reports.test_plan import FLOOR, PLAN, SHORT, replaced


def test_the_document_is_what_its_schema_says():
    plan = replaced(PLAN, margins=(SHORT,), noise=FLOOR)
    found = json.loads(json.dumps(plans_document([plan]), allow_nan=False))
    jsonschema.validate(found, plans_schema())
    (one,) = found["plans"]
    assert one["metrics"][0]["spread"]["psi_or_variance"] == 0.22
    assert one["margins"][0]["resolvable"] == 0.0872
    assert one["noise"]["metrics"][0]["psi_interval"]["method"] == "wilson"


def test_the_schema_refuses_what_is_missing():
    found = json.loads(json.dumps(plans_document([PLAN])))
    del found["plans"][0]["next"]
    assert list(jsonschema.Draft202012Validator(plans_schema()).iter_errors(found))


def test_every_field_of_the_records_is_in_the_schema():
    schema = plans_schema()["$defs"]
    (one,) = plans_document([replaced(PLAN, margins=(SHORT,), noise=FLOOR)])["plans"]
    assert set(one) == set(schema["SuitePlanDocument"]["properties"])
    assert set(one["margins"][0]) == set(schema["MarginPlanDocument"]["properties"])
    assert set(one["noise"]) == set(schema["NoiseFloorDocument"]["properties"])
    assert set(one["metrics"][0]["spread"]) == set(schema["SpreadDocument"]["properties"])


def test_no_number_is_one_that_json_lacks():
    plan = replaced(PLAN, power=float("nan"))
    assert plans_document([plan])["plans"][0]["power"] is None
