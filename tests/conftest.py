"""What holds for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# The same examples every time: a test that fails, fails for everybody. LLMKIT_HYPOTHESIS=explore looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("LLMKIT_HYPOTHESIS", "same"))
