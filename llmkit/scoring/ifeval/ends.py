"""startend, combination, punctuation: how the answer begins and ends, and what it is made of."""

from __future__ import annotations

import re


def end_checker(text: str, end_phrase: str) -> bool:
    """The answer ends with a phrase, in whatever case; a closing quotation mark may follow."""
    return text.strip().strip('"').lower().endswith(end_phrase.strip().lower())


def quotation(text: str) -> bool:
    """The whole answer stands in double quotation marks."""
    bare = text.strip()
    return len(bare) > 1 and bare[0] == bare[-1] == '"'


def constrained_start(text: str, starter: str) -> bool:
    """A line begins with a phrase, but for blanks."""
    return bool(re.search(rf"^[^\S\n]*{re.escape(starter.strip())}", text, re.MULTILINE))


def two_responses(text: str) -> bool:
    """Two different answers, parted by ``******``; only the first and the last part may be blank."""
    parts = [part.strip() for part in text.split("******")]
    if not all(parts[1:-1]):
        return False
    answers = [part for part in parts if part]
    return len(answers) == 2 and answers[0] != answers[1]


def repeat_prompt(text: str, prompt_to_repeat: str) -> bool:
    """The answer begins with the prompt, in whatever case."""
    return text.strip().lower().startswith(prompt_to_repeat.strip().lower())


def no_comma(text: str) -> bool:
    """No comma."""
    return "," not in text
