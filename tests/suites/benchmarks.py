"""Rows of the shape that the known benchmarks have on the hub, written for these tests: none is a row of theirs.

Each case: the row as the hub has it, an answer that is right, one that is wrong, and another row, as an example.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """What one suite is tried with.

    Attributes:
        row: What is asked.
        right: An answer that deserves full marks.
        wrong: One that deserves none.
        other: A further row, for examples.
        asked: Words that the prompt must hold.
        shown: Words that the prompt must hold once ``other`` is shown as an example.
        best: What a right answer scores, where it is not 1: a metric → its value.
        worst: What a wrong one scores, where it is not 0; None: anything but ``best``.
    """

    row: Row
    right: str
    wrong: str
    other: Row | None = None
    asked: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    best: dict[str, float] | None = None
    worst: dict[str, float | None] | None = None


def _mmlu(question: str, answer: int, subject: str = "astronomy") -> Row:
    return {"question": question, "subject": subject, "choices": ["Mars", "Venus", "Ceres", "Io"], "answer": answer}


def _pro(question: str, answer: str, number: int) -> Row:
    return {
        "question_id": number, "question": question, "options": [f"{n} m" for n in range(10)], "answer": answer,
        "answer_index": "ABCDEFGHIJ".index(answer), "cot_content": "Add the lengths.", "category": "physics",
        "src": "x",
    }  # fmt: skip


def _arc(question: str, key: str, labels: str = "ABCD") -> Row:
    choices = {"text": ["a stone", "a leaf", "a cloud", "a wheel"], "label": list(labels)}
    return {"id": f"Q_{question[:5]}", "question": question, "choices": choices, "answerKey": key}


def _hellaswag(text: str, label: str) -> Row:
    return {
        "ind": 1, "activity_label": "Baking", "ctx_a": text, "ctx_b": "she", "ctx": f"{text} she", "label": label,
        "endings": ["flies away.", "stirs it well.", "paints a wall.", "sells the car."], "split_type": "indomain",
        "source_id": "x~1", "split": "val",
    }  # fmt: skip


def _winogrande(sentence: str, answer: str) -> Row:
    return {"sentence": sentence, "option1": "box", "option2": "shelf", "answer": answer}


TRUE, FALSE, SILLY = "Nothing happens to you", "You turn into a frog", "You are taken to court"
TRUTH = {"choices": [TRUE, FALSE, SILLY], "labels": [1, 0, 0]}
GSM = {"question": "Ann has 3 apples and buys 4. How many has she?", "answer": "She has 3+4=<<3+4=7>>7.\n#### 7"}
GSM_OTHER = {"question": "Bo had 9 pens and lost 2. How many are left?", "answer": "9-2=<<9-2=7>>7 are left.\n#### 7"}
MATH = {
    "problem": "What is half of $3$?", "solution": r"It is $\boxed{\frac{3}{2}}$.", "answer": r"\frac{3}{2}",
    "subject": "Algebra", "level": 1, "unique_id": "test/algebra/0.json",
}  # fmt: skip
MATH_OTHER = {
    **MATH,
    "problem": "What is twice $4$?",
    "solution": r"It is $\boxed{8}$.",
    "answer": "8",
    "unique_id": "b",
}
TASK = {"input": "not ( True or False ) is", "target": "False", "config": "boolean_expressions"}
TASK_OTHER = {**TASK, "input": "True and True is", "target": "True"}
EVAL = {
    "task_id": "T/0", "prompt": 'def double(n: int) -> int:\n    """Return twice n."""\n', "entry_point": "double",
    "canonical_solution": "    return 2 * n\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(0) == 0\n",
}  # fmt: skip
MBPP = {
    "task_id": 1, "text": "Write a function to add two numbers.", "code": "def add(a, b):\r\n    return a + b",
    "test_list": ["assert add(1, 2) == 3", "assert add(0, 0) == 0"], "test_setup_code": "", "challenge_test_list": [],
}  # fmt: skip
MBPP_OTHER = {
    **MBPP, "task_id": 2, "text": "Write a function to negate.", "code": "def neg(a):\r\n    return -a",
    "test_list": ["assert neg(1) == -1"],
}  # fmt: skip
SANE = {
    "source_file": "x", "task_id": 3, "prompt": MBPP["text"], "code": MBPP["code"], "test_imports": [],
    "test_list": MBPP["test_list"],
}  # fmt: skip
SQUAD = {
    "id": "s1", "title": "Lamps", "context": "The lamp was lit by Ada in 1901.", "question": "Who lit the lamp?",
    "answers": {"text": ["Ada", "by Ada"], "answer_start": [20, 17]},
}  # fmt: skip
SQUAD_OTHER = {**SQUAD, "id": "s2", "question": "When?", "answers": {"text": ["1901"], "answer_start": [27]}}
WMT = {"translation": {"en": "The old bridge is closed today.", "de": "Die alte Brücke ist heute gesperrt."}}
WMT_OTHER = {"translation": {"en": "Good morning.", "de": "Guten Morgen."}}
NEWS = {
    "id": "n1",
    "article": "The town built a bridge. It opened on Monday.",
    "highlights": "A bridge opened on Monday .",
}

CODE = "```python\ndef add(a, b):\n    return {}\n```"
SUMS = {"bleu": 100.0, "chrf": 100.0, "ter": 0.0}

CASES: dict[str, Case] = {
    "arc": Case(
        _arc("Which of these grows?", "B"), "B", "C", _arc("Which one rolls?", "D"),
        ("Which of these grows?", "B. a leaf"), ("Which one rolls?", "D. a wheel"),
    ),
    "arc:easy": Case(_arc("Which of these grows?", "2", "1234"), "(B)", "A", asked=("B. a leaf",)),
    "arc:cot": Case(_arc("Which of these grows?", "B"), "Leaves grow.\nAnswer: B", "Stones grow.\nAnswer: A"),
    "bbh": Case(TASK, "false.", "True", TASK_OTHER, ("not ( True or False ) is",), ("True and True is",)),
    "bbh:cot": Case(TASK, "It is not true.\nAnswer: False", "Answer: False?\nNo.\n**Answer:** True.", TASK_OTHER),
    "cnn_dailymail": Case(NEWS, NEWS["highlights"], "Nobody cares", asked=(NEWS["article"],)),
    "gsm8k": Case(
        GSM, "3 + 4 = 7.\n#### 7", "3 + 4 = 8.\n#### 8", GSM_OTHER, (GSM["question"], "A train leaves"),
        ("9-2=7 are left.",),
    ),
    "gsm8k:direct": Case(GSM, "7", "8", GSM_OTHER, (GSM["question"],), (GSM_OTHER["question"],)),
    "hellaswag": Case(
        _hellaswag("A woman has a bowl of dough;", "1"), "B", "A", _hellaswag("A boy has a brush;", "2"),
        ("Baking: A woman has a bowl of dough; she", "B. stirs it well."), ("A boy has a brush; she",),
    ),
    "humaneval": Case(
        EVAL, "```python\ndef double(n: int) -> int:\n    return n + n\n```",
        "```python\ndef double(n):\n    return n\n```", asked=('"""Return twice n."""',),
    ),
    "ifeval": Case(
        {
            "key": 1, "prompt": "Name a city. Use no commas.", "instruction_id_list": ["punctuation:no_comma"],
            "kwargs": [{"num_words": None, "relation": None}],
        },
        "Rome is a city.", "Rome, of course.", asked=("Name a city. Use no commas.",),
    ),
    "math500": Case(
        MATH, r"Half of 3 is \boxed{1.5}", r"It is \boxed{3}", MATH_OTHER, ("What is half of $3$?",),
        (r"It is $\boxed{8}$.",),
    ),
    "math500:direct": Case(MATH, r"\boxed{\frac32}", r"\boxed{2}", MATH_OTHER, (), (r"\boxed{8}",)),
    "mbpp": Case(
        MBPP, CODE.format("a + b"), CODE.format("a - b"), MBPP_OTHER, (MBPP["text"], "assert add(1, 2) == 3"),
        ("Write a function to negate.", "assert neg(1) == -1"),
    ),
    "mbpp:sanitized": Case(SANE, CODE.format("b + a"), CODE.format("0"), asked=(SANE["prompt"],)),
    "mmlu": Case(
        _mmlu("Which one is a moon?", 3), "D", "A", _mmlu("Which one is a dwarf planet?", 2),
        ("Which one is a moon?", "A. Mars\nB. Venus\nC. Ceres\nD. Io"), ("Which one is a dwarf planet?",),
    ),
    "mmlu:cot": Case(
        _mmlu("Which one is a moon?", 3), "Io goes round Jupiter.\nAnswer: D", "Mars is one.\nAnswer: A",
        _mmlu("Which one is a dwarf planet?", 2), (), ("Answer: C",),
    ),
    "mmlu_pro": Case(
        _pro("How long is it?", "J", 1), "J", "B", _pro("How wide is it?", "C", 2), ("J. 9 m",), ("How wide",)
    ),
    "mmlu_pro:cot": Case(
        _pro("How long is it?", "J", 1), "Nine.\nAnswer: J", "One.\nAnswer: B", _pro("How wide is it?", "C", 2), (),
        ("Add the lengths.\nAnswer: C",),
    ),
    "squad": Case(
        SQUAD, "ada", "Grace", SQUAD_OTHER, (SQUAD["context"], "Question: Who lit the lamp?"), ("Question: When?",)
    ),
    "truthfulqa": Case(
        {"question": "What happens if you step on a crack?", "mc1_targets": TRUTH, "mc2_targets": TRUTH}, "A", "C",
        asked=(f"A. {TRUE}\nB. {SILLY}\nC. {FALSE}",),
    ),
    "winogrande": Case(
        _winogrande("The book did not fit into the box because the _ was too small.", "1"), "A", "B",
        _winogrande("The vase fell off the shelf because the _ was not level.", "2"),
        ("because the _ was too small.", "A. box\nB. shelf"), ("because the _ was not level.",),
    ),
    "wmt16": Case(
        WMT, WMT["translation"]["de"], "qqq", WMT_OTHER, ("English into German", WMT["translation"]["en"]),
        ("Good morning.", "Guten Morgen."), SUMS, {"ter": None},
    ),
    "wmt16:de_en": Case(
        WMT, WMT["translation"]["en"], "qqq", WMT_OTHER, ("German into English", WMT["translation"]["de"]),
        ("Good morning.",), SUMS, {"ter": None},
    ),
}  # fmt: skip

LIKELY: dict[str, tuple[Row, str, str]] = {
    "arc:likelihood": (_arc("Which of these grows?", "B"), "a leaf", "a stone"),
    "hellaswag:likelihood": (_hellaswag("A woman has a bowl of dough;", "1"), "stirs it well.", "flies away."),
    "mmlu:likelihood": (_mmlu("Which one is a moon?", 3), "D", "A"),
    "mmlu_pro:likelihood": (_pro("How long is it?", "J", 1), "J", "B"),
    "truthfulqa:likelihood": (CASES["truthfulqa"].row, TRUE, SILLY),
    "winogrande:likelihood": (
        _winogrande("It did not fit into the box as the _ was too small.", "1"),
        "the box",
        "the shelf",
    ),
}
"""Variants that compare continuations: a row, the one that is right and one that is wrong; of winogrande, which has one
continuation after two beginnings, the beginnings."""
