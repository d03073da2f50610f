"""Configurations of promptfoo.

Source of what they mean: ``promptfoo/promptfoo``, ``src/types/index.ts`` and ``testCases.ts`` (fields), ``src/csv.ts``
(tests in tables), ``src/assertions/`` (what each assertion compares).
"""
