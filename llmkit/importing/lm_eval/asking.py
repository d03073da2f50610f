"""What a task asks: its templates as messages of a prompt, its examples around them."""

from __future__ import annotations

import json
from typing import Any

from llmkit.documents import Tagged
from llmkit.errors import DocumentError
from llmkit.importing.lm_eval.config import NO_CODE, Config
from llmkit.importing.lm_eval.rows import Rows
from llmkit.importing.template import check_template, field, is_name, is_template, list_of, literal, path_of

SHOWN = "shown"
"""What the template calls an example."""


class Asking:
    """A task's templates.

    Args:
        config: The task.
        rows: Its data, which tell whether a word is a field.
    """

    def __init__(self, config: Config, rows: Rows) -> None:
        self._config, self._rows = config, rows
        self.delimiter = str(config.get("target_delimiter", " "))
        self.between = str(config.get("fewshot_delimiter", "\n\n"))
        self.description = self._described()
        self.text = self.template("doc_to_text")
        if not self.text.strip():
            where = config.where("doc_to_text")
            raise DocumentError(
                "doc_to_text is missing or empty: there is nothing to ask",
                where=where,
                hint="llmkit asks, and measures what may follow a text; whole sentences by themselves it does not",
            )
        check_template(self.text, config.where("doc_to_text"))
        self.choices = self._choices()
        self.prefix = str(config.get("gen_prefix", ""))

    def template(self, key: str) -> str:
        """Return a field of the configuration as a template over the row."""
        text = self._config.text(key)
        if self._is_field(text):
            return field(text)
        return text if is_template(text) else literal(text)

    def _is_field(self, text: str) -> bool:
        columns = self._rows.columns
        return is_name(text) if columns is None else text in columns

    def _described(self) -> str:
        value = self._config.get("description", "")
        if isinstance(value, Tagged):
            where = self._config.where("description")
            self._config.items.lost(
                where, f"description: {value.tag} {value.text}", NO_CODE, "Write it into the prompt"
            )
            return ""
        check_template(str(value), self._config.where("description"))
        return str(value)

    def _choices(self) -> str | list[str] | None:
        """Return the choices: a field that holds them, or templates; None where there are none."""
        config = self._config
        value = config.get("doc_to_choice")
        if value is None:
            return None
        where = config.where("doc_to_choice")
        if isinstance(value, Tagged):
            raise DocumentError(f"doc_to_choice is {value.tag} {value.text}: {NO_CODE}", where=where)
        if isinstance(value, (list, dict)):
            return [literal(str(each)) for each in (value.values() if isinstance(value, dict) else value)]
        text = str(value)
        found = text if self._is_field(text) else path_of(text) or list_of(text)
        if found is None:
            hint = "It must be a field, or a list of fields and texts"
            raise DocumentError(f"doc_to_choice {text!r} cannot be read without running it", where=where, hint=hint)
        return found

    @property
    def choice_list(self) -> str | None:
        """The choices as a Jinja expression; None where there are none, or they are templates."""
        if isinstance(self.choices, list):
            return json.dumps(self.choices, ensure_ascii=False) if not any(map(is_template, self.choices)) else None
        return self.choices

    @property
    def target(self) -> str:
        """The right answer's text, as a template over the row.

        Raises:
            DocumentError: It cannot be had: choices are picked by what only code can tell.
        """
        template = self.template("doc_to_target")
        if self.choices is None:
            return template
        path, choices = path_of(template), self.choice_list
        if path is None or choices is None:
            where = self._config.where("doc_to_target")
            raise DocumentError("doc_to_target picks one of the choices by a template", where=where)
        return f"{{{{ {choices}[{path}] if {path} is number else {path} }}}}"

    def plain(self, count: int) -> str:
        """Return all as one text, as base models are asked."""
        head = literal(self.description) if not is_template(self.description) else self.description
        example = f"{self.text}{self.delimiter}{self.target}{self.between}" if count else ""
        return head + self._each(example) + self.text + _joined(self.text, self.prefix)

    def messages(self, count: int) -> list[tuple[str, str]]:
        """Return all as messages, examples as turns of their own, as ``--apply_chat_template`` asks chat models."""
        for key, said, usual in (
            ("target_delimiter", self.delimiter, " "), ("fewshot_delimiter", self.between, "\n\n")
        ):  # fmt: skip
            if said != usual:
                why = "it stands between the parts of one text; the turns of a chat stand apart, there as here"
                self._config.items.note(self._config.where(key), f"{key}: {said!r}", why)
        found = [("system", self.description)] if self.description else []
        if count:
            found.append(("{%", self._opening()))
            found += [("user", self.text), ("assistant", _joined("", self.prefix, self.target))]
            found.append(("{%", "{% endwith %}{% endfor %}"))
        found.append(("user", self.text))
        return [*found, ("assistant", self.prefix)] if self.prefix else found

    def _opening(self) -> str:
        names = check_template(self.text, "") | check_template(self.target, "")
        values = ", ".join(f"{name}={SHOWN}.{name}" for name in sorted(names))
        return f"{{% for {SHOWN} in examples %}}{{% with {values} %}}"

    def _each(self, example: str) -> str:
        return f"{self._opening()}{example}{{% endwith %}}{{% endfor %}}" if example else ""


def _joined(before: str, prefix: str, after: str = "") -> str:
    """Put what an answer begins with behind the question, or before the answer, a space between where none is."""
    if not prefix:
        return after
    space = " " if before and not (before[-1].isspace() or prefix[0].isspace()) else ""
    gap = " " if after and not (prefix[-1].isspace() or after[0].isspace()) else ""
    return f"{space}{prefix}{gap}{after}"


def mapped(asking: Asking, config: Config) -> dict[str, Any]:
    """Return the suite's ``map``: where right answers stand.

    Raises:
        DocumentError: They cannot be had.
    """
    if "doc_to_target" not in config:
        raise DocumentError("doc_to_target is missing: nothing says what is right", where=config.source.where())
    if isinstance(value := config.get("doc_to_target"), list):
        return {"references": [literal(str(each)) for each in value]}
    template = asking.template("doc_to_target")
    check_template(template, config.where("doc_to_target"))
    path = path_of(template)
    comparing = config.get("output_type", "generate_until") == "multiple_choice"
    if asking.choices is not None and not comparing:
        return {"target": asking.target}
    if path is not None:
        return {"references": path}
    return {"target": template if is_template(template) else f"{{{{ {json.dumps(template, ensure_ascii=False)} }}}}"}
