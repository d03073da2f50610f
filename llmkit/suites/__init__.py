"""What is asked: suite files, the rows they map, the suites that come with llmkit."""

from llmkit.suites.builtin import builtin_suites
from llmkit.suites.gating import Gating, gating
from llmkit.suites.init import init
from llmkit.suites.inline import make_suite
from llmkit.suites.load import load_suites
from llmkit.suites.spec import SuiteSpec
from llmkit.suites.suite import Suite

__all__ = ["Gating", "Suite", "SuiteSpec", "builtin_suites", "gating", "init", "load_suites", "make_suite"]
