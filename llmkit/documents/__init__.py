"""Reading what people write (suites, prompts, configuration): safely, and with the line of every field.

    read_text / read_yaml / read_toml → Document → validate(Model, document) → instance

Each mistake is one ``DocumentError`` that names ``path:line``, what is wrong there and how to mend it.
"""

from llmkit.documents.document import MAX_BYTES, Document, read_text
from llmkit.documents.paths import confined
from llmkit.documents.schemas import schema
from llmkit.documents.toml_reader import read_toml
from llmkit.documents.validation import FieldError, validate
from llmkit.documents.yaml_reader import Tagged, parse_foreign_yaml, parse_yaml, parse_yaml_value, read_yaml

__all__ = [
    "MAX_BYTES",
    "Document",
    "FieldError",
    "Tagged",
    "confined",
    "parse_foreign_yaml",
    "parse_yaml",
    "parse_yaml_value",
    "read_text",
    "read_toml",
    "read_yaml",
    "schema",
    "validate",
]
