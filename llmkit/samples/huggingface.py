"""A data set of the Hugging Face hub, always of one commit (extra ``[datasets]``)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from llmkit.canonical import digest
from llmkit.errors import DataError, MissingExtraError
from llmkit.samples.parquet import BATCH, rows_of
from llmkit.samples.source import Row
from llmkit.text import one_line
from llmkit.types import BadRow

if TYPE_CHECKING:
    import datasets

_COMMIT = re.compile(r"[0-9a-f]{40}")
_TIMEOUT_S = 15.0
"""For the one call that finds the commit, so that a hub out of reach is noticed soon."""


class HubSource:
    """One split of one configuration at one commit.

    A branch, a tag or no revision at all is resolved to the commit that it means now, on first use.

    Args:
        hub_id: ``owner/name``.
        config: The configuration; None for the only or default one.
        split: The split.
        revision: A commit, branch or tag; None for the default branch.
        where: ``path:line`` of the suite's entry, for errors.
        option: What gives a file in its place.
    """

    path: Path | None = None

    def __init__(
        self,
        hub_id: str,
        config: str | None,
        split: str,
        revision: str | None,
        where: str | None = None,
        option: str = "--data",
    ) -> None:
        self.hub_id, self.config, self.split, self.revision = hub_id, config, split, revision
        self._where, self._option = where, option
        self._leader: HubSource | None = None
        self._commit = revision if revision and _COMMIT.fullmatch(revision) else None
        self._loaded: datasets.Dataset | None = None

    @property
    def commit(self) -> str:
        """The commit that is read.

        Raises:
            DataError: Where the hub does not say.
        """
        if self._commit is None:
            self._commit = self._resolve() if self._leader is None else self._leader.commit
        return self._commit

    def of(self, leader: HubSource) -> HubSource:
        """Read the commit that another configuration of the same data set reads."""
        self._leader = leader
        return self

    def describe(self) -> str:
        """Return the name with configuration, split and commit."""
        return f"{self._name()}@{self.commit[:12]}"

    def where(self, line: int) -> str:
        """Return the name and the row's number, from 1."""
        return f"{self._name()}:{line}"

    def rows(self) -> Iterator[Row | BadRow]:
        """Read it through Arrow files in the hub's cache folder, batch by batch."""
        import pyarrow

        data = self._load().with_format("arrow")
        start = 0
        try:
            for table in data.iter(batch_size=BATCH):
                yield from rows_of(table, start, self._name())
                start += table.num_rows
        except (pyarrow.ArrowException, OSError) as error:
            raise DataError(f"cannot be read after row {start}: {_words(error)}", where=self._name()) from error

    def fingerprint(self) -> str:
        """Return the hash of id, configuration, split and commit."""
        return digest({"hf": self.hub_id, "config": self.config, "split": self.split, "revision": self.commit})

    def notes(self) -> tuple[str, ...]:
        """Return which commit an unpinned revision means now."""
        if self.revision == self.commit:
            return ()
        asked = f"revision {self.revision}" if self.revision else "no revision"
        return (f"{self._name()}: {asked} in the suite; reading revision {self.commit}, write that to pin it",)

    def _name(self) -> str:
        return "hf:" + "/".join(part for part in (self.hub_id, self.config, self.split) if part)

    def _resolve(self) -> str:
        _needs("huggingface_hub")
        import huggingface_hub
        from huggingface_hub import errors

        try:
            info = huggingface_hub.HfApi().dataset_info(self.hub_id, revision=self.revision, timeout=_TIMEOUT_S)
        except errors.RevisionNotFoundError as error:
            raise DataError(f"no revision {self.revision!r}", where=self._at()) from error
        except errors.RepositoryNotFoundError as error:
            raise self._absent() from error
        except Exception as error:  # its HTTP library's errors are no public names
            raise self._unreachable(error) from error
        if not info.sha:
            raise DataError("the hub names no commit", where=self._at())
        return info.sha

    def _load(self) -> datasets.Dataset:
        """Fetch, or open in the cache."""
        if self._loaded is not None:
            return self._loaded
        _needs("datasets")
        if Path(self.hub_id).exists():
            raise DataError(
                f"the local folder {self.hub_id} hides the hub's data set", where=self._at(), hint="Start elsewhere"
            )
        commit = self.commit
        import datasets

        # The terminal belongs to llmkit's own progress; the switch is put back for whoever else uses the package.
        bars = datasets.is_progress_bar_enabled()
        datasets.disable_progress_bars()
        gone: Exception | None = None
        try:
            with self._patience(commit) as gone:
                loaded = datasets.load_dataset(self.hub_id, self.config, split=self.split, revision=commit)
        except datasets.exceptions.DatasetNotFoundError as error:
            if "Revision" in str(error):
                raise DataError(f"no revision {commit!r}", where=self._at()) from error
            raise self._absent() from error
        except (ValueError, datasets.exceptions.DatasetsError) as error:  # an unknown configuration or split, mostly
            raise DataError(_words(error), where=self._at(), hint="See config and split in the suite") from error
        except Exception as error:
            raise self._unreachable(gone or error) from error
        finally:
            if bars:
                datasets.enable_progress_bars()
        self._loaded = loaded
        return loaded

    @contextlib.contextmanager
    def _patience(self, commit: str) -> Iterator[Exception | None]:
        """Ask the hub once whether it is there; where it is not, yield why, and only its cache is read.

        The packages themselves would ask each of several addresses half a dozen times: 24 s were measured until they
        gave up on a port that refuses connections.
        """
        import datasets
        import huggingface_hub
        from huggingface_hub import constants, errors

        gone: Exception | None = None
        before = (constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE)
        try:
            if not any(before):
                huggingface_hub.HfApi().dataset_info(self.hub_id, revision=commit, timeout=_TIMEOUT_S)
        except errors.HfHubHTTPError:
            pass  # it is there and says no; in which words, the load below tells
        except Exception as error:  # its HTTP library's errors are no public names
            gone = error
            constants.HF_HUB_OFFLINE = datasets.config.HF_HUB_OFFLINE = True
        try:
            yield gone
        finally:
            constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE = before

    def _at(self) -> str:
        return f"{self._where}: {self._name()}" if self._where else self._name()

    def _absent(self) -> DataError:
        return DataError(
            "no such data set on the hub, or not for you", where=self._at(), hint="Gated or private? Set HF_TOKEN"
        )

    def _unreachable(self, error: Exception) -> DataError:
        return DataError(
            f"cannot be fetched from the hub: {_words(error)}",
            where=self._at(),
            hint=f"Have it as a file? Pass {self._option} FILE (jsonl, csv, parquet)",
        )


def _needs(package: str) -> None:
    import importlib.util

    if importlib.util.find_spec(package) is None:
        raise MissingExtraError("reading a data set of the hub", "datasets")


def _words(error: BaseException) -> str:
    return one_line(str(error)) or type(error).__name__
