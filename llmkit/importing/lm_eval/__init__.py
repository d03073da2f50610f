"""Task files of lm-evaluation-harness.

Source of what they mean: ``lm_eval`` 0.4.13, ``config/task.py`` and ``api/task.py``.
"""
