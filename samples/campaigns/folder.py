"""The folder of a campaign: one run at a time, nothing that is not the campaign's."""

from __future__ import annotations

import csv
import errno
import fcntl
import io
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from darkbelle.errors import OutputError
from darkbelle.samples.campaigns.manifest import (
    WHOLE,
    Amount,
    Entry,
    FailedPoint,
    Manifest,
    delete_asides,
    difference,
    header_of,
    manifest_name,
    read_manifests,
    refusals_told,
    write_manifest,
)
from darkbelle.samples.campaigns.plan import Part, Plan, Shard, owns
from darkbelle.samples.campaigns.work import PointTask, is_foreign
from darkbelle.samples.files.aside import replace_text
from darkbelle.samples.wording import as_text

__all__ = [
    "POINTS",
    "check_folder",
    "delete_leftovers",
    "locked",
    "log_name",
    "logging_to",
    "opened",
    "read_campaign",
    "settle",
    "write_points",
]

_log = logging.getLogger(__name__)

POINTS: Final = "points.csv"
"""Name of the table of all points and their files."""
_LEFTOVER = re.compile(r"\.(?P<file>\d+(-\d+)?\.h5)\.[0-9a-f]{8}\.part(\.part)?")
"""What a worker that was killed leaves behind."""
_PART = re.compile(r"(?P<point>\d+)(-\d+)?\.h5")
_TOLD = re.compile(r"points\.csv|produce(-\d+of\d+)?\.log")
"""Names that runs give to files of theirs."""


@contextmanager
def locked(folder: Path, shard: Shard | None) -> Iterator[None]:
    """Keep other runs out of a folder, and make it if need be.

    Shards of a campaign may share a folder, but for two runs of the same one. The locks end with
    this process, however it ends.

    Raises
    ------
    OutputError
        There is no such folder and no making it, or another run works there.
    """
    with ExitStack() as stack:
        with refusals_told():
            folder.mkdir(exist_ok=True)
            _lock(stack, folder / ".lock", fcntl.LOCK_EX if shard is None else fcntl.LOCK_SH)
            if shard is not None:
                name = f".lock-{shard.number}of{shard.of}"
                _lock(stack, folder / name, fcntl.LOCK_EX)
        yield


def _lock(stack: ExitStack, path: Path, kind: int) -> None:
    file = stack.enter_context(path.open("a"))
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP):
            raise OutputError(f"another run writes to '{path.parent}': wait for its end") from None
        _log.warning("'%s' knows no locks: let only one run write to it", path.parent)


def check_folder(folder: Path) -> None:
    """Refuse a file where the folder of a campaign should be."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"'{folder}' is a file, a campaign needs a folder: choose another name")


def read_campaign(folder: Path, plan: Plan) -> Manifest | None:
    """What is done of a campaign in a folder, None if it has no manifest.

    It is then empty, missing, or holds files of this campaign alone.

    Raises
    ------
    OutputError
        The folder holds something else.
    """
    check_folder(folder)
    manifest = read_manifests(folder)
    if manifest is None:
        if folder.is_dir():
            _refuse_others(folder, plan)
        return None
    header = header_of(plan)
    if manifest.header.sha256 != header.sha256:
        raise OutputError(
            f"'{folder}' holds another campaign ({difference(manifest.header, header)}): "
            "choose another folder"
        )
    return manifest


def _refuse_others(folder: Path, plan: Plan) -> None:
    """Refuse a folder without manifest that has any file that no run of this plan leaves."""
    points = {f"{p.experiment}/{p.number:0{plan.width}d}": p for p in plan.points}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if name in plan.experiments and path.is_dir() and not path.is_symlink():
            continue
        if name.startswith(".") or _TOLD.fullmatch(name):
            continue
        left = _LEFTOVER.fullmatch(path.name)
        found = _PART.fullmatch(left["file"] if left else path.name)
        point = points.get(f"{path.parent.relative_to(folder)}/{found['point']}") if found else None
        if point is None:
            raise OutputError(f"'{folder}' is not empty and holds no campaign: choose another one")
        if is_foreign(path, PointTask.of(plan, point)):
            raise OutputError(
                f"'{folder}' has no manifest, and '{name}' is of another campaign: choose another "
                "folder"
            )


def opened(folder: Path, plan: Plan, shard: Shard | None) -> Manifest:
    """What is done of a campaign in a folder that is locked, its manifest ready for more lines.

    Raises
    ------
    OutputError
        The folder holds something else, or other shards than these.
    """
    manifest = read_campaign(folder, plan)
    if manifest is None:
        manifest = Manifest(header_of(plan), {}, {}, {}, (), 0)
    for name in manifest.names:
        if shard is not None and not name.endswith((WHOLE, f"of{shard.of}.jsonl")):
            raise OutputError(
                f"'{folder}' has shards of another number ({name}): use that, or finish it "
                "without shards"
            )
    # A table that another shard is writing now is left to a whole run.
    delete_asides(folder, None if shard is None else {manifest_name(shard)})
    own = [e for e in manifest.entries.values() if owns(shard, e.point, e.part)]
    write_manifest(folder / manifest_name(shard), manifest.header, manifest.amounts.values(), own)
    return replace(manifest, entries={entry.file: entry for entry in own})


def settle(
    folder: Path,
    manifest: Manifest,
    shard: Shard | None,
    amounts: Iterable[Amount],
    entries: Iterable[Entry],
    failures: Iterable[FailedPoint],
) -> None:
    """Write the manifest as it is at the end of a run: in order, nothing that varies.

    The manifest of a whole campaign takes the place of those of its shards.
    """
    lasting = [entry.model_copy(update={"seconds": None}) for entry in entries]
    own = manifest_name(shard)
    write_manifest(folder / own, manifest.header, amounts, lasting, failures)
    if shard is None:
        for name in manifest.names:
            if name != own:
                (folder / name).unlink(missing_ok=True)


def log_name(shard: Shard | None) -> str:
    """Name of the log of a whole campaign or a share of it."""
    return "produce.log" if shard is None else f"produce-{shard.number}of{shard.of}.log"


class _LogFile(logging.FileHandler):
    """A log that a full disk does not stop: whoever writes samples will tell."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Do without a line."""


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Add what campaigns log meanwhile to a file."""
    log = logging.getLogger("darkbelle.samples.campaigns")
    with refusals_told():
        handler, level = _LogFile(path, encoding="utf-8"), log.level
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.setLevel(level)
        log.removeHandler(handler)
        with suppress(OSError):
            handler.close()


def delete_leftovers(folder: Path, parts: Iterable[Part]) -> int:
    """Delete what killed workers left of some parts, and say how many files."""
    files = {part.file for part in parts}
    n_deleted = 0
    for experiment in {file.partition("/")[0] for file in files}:
        with suppress(FileNotFoundError):
            for path in (folder / experiment).iterdir():
                found = _LEFTOVER.fullmatch(path.name)
                if found and f"{experiment}/{found['file']}" in files:
                    path.unlink(missing_ok=True)
                    n_deleted += 1
    return n_deleted


def write_points(folder: Path, plan: Plan, n_events: Mapping[int, int]) -> None:
    """Write the table of all points, ``points.csv``: index, experiment, parameters, file.

    A point with several files has as many rows; one without known number of events has no file.
    """
    names = list(dict.fromkeys(name for point in plan.points for name in point.parameters))
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["index", "experiment", *names, "file"])
    for point in plan.points:
        values = [as_text(point.parameters.get(name, "")) for name in names]
        known = n_events.get(point.index)
        files = [""] if known is None else [part.file for part in plan.parts_of(point, known)]
        for file in files:
            table.writerow([point.index, point.experiment, *values, file])
    where = folder / POINTS
    with suppress(OSError, UnicodeDecodeError):
        if where.read_text(encoding="utf-8") == text.getvalue():
            return
    replace_text(where, text.getvalue())
