"""What is done: a line for the campaign, and one for each amount, part and failure, as JSON.

Lines are added as parts are finished; the last one may be torn when a run is killed.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from darkbelle import __version__
from darkbelle.errors import OutputError, SampleFormatError
from darkbelle.samples.campaigns.plan import Plan, Shard
from darkbelle.samples.files.aside import replace_text

__all__ = [
    "WHOLE",
    "Amount",
    "Entry",
    "FailedPoint",
    "Journal",
    "Manifest",
    "delete_asides",
    "difference",
    "header_of",
    "manifest_name",
    "read_manifests",
    "refusals_told",
    "write_manifest",
]

WHOLE: Final = "manifest.jsonl"
"""Name of the manifest of a whole campaign."""
_NAME = re.compile(r"manifest(-\d+of\d+)?\.jsonl")
_ASIDE = re.compile(r"\.(?P<file>.+)\.[0-9a-f]{8}\.part")
"""What `replace_text` leaves behind when it is killed."""


class _Line(BaseModel):
    """A line of a manifest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def to_json(self) -> str:
        """The line, without what is not known."""
        return self.model_dump_json(exclude_none=True) + "\n"


class Header(_Line):
    """The first line: which campaign this is."""

    format: Literal["darkbelle-campaign"]
    format_version: Literal[1]
    version: str
    sha256: str
    campaign: dict[str, Any]


class Amount(_Line):
    """The events that a luminosity means at a point."""

    point: int
    n_events: int
    xsec: float
    xsec_err: float


class Entry(_Line):
    """A finished part, cf. the attributes of its file."""

    file: str
    experiment: str
    point: int
    part: int
    parameters: dict[str, Any]
    n_events: int
    sum_w: float
    xsec: float | None = None
    xsec_err: float | None = None
    sha256: str
    bytes: int
    seconds: float | None = None
    """Time that it took, as long as the campaign goes on."""


class FailedPoint(_Line):
    """A point that could not be made; it is tried again by the next run."""

    point: int
    experiment: str
    parameters: dict[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that the manifests of a folder say, the later line where two speak of one part."""

    header: Header
    amounts: dict[int, Amount]
    entries: dict[str, Entry]
    """By the names of files."""
    failures: dict[int, FailedPoint]
    """By the indices of points."""
    names: tuple[str, ...]
    """The manifests' own names."""
    n_damaged: int
    """Lines that could not be read."""


def manifest_name(shard: Shard | None) -> str:
    """Name of the manifest of a whole campaign or a share of it."""
    return WHOLE if shard is None else f"manifest-{shard.number}of{shard.of}.jsonl"


def header_of(plan: Plan) -> Header:
    """The first line of the manifests of a campaign."""
    return Header(
        format="darkbelle-campaign",
        format_version=1,
        version=__version__,
        sha256=plan.sha256,
        campaign=plan.campaign.model_dump(mode="json", exclude_defaults=True),
    )


def read_manifests(folder: str | Path) -> Manifest | None:
    """What the manifests of a folder say, None if it has none.

    Raises
    ------
    SampleFormatError
        A manifest is none, or they are those of two campaigns.
    """
    paths = sorted(path for path in Path(folder).glob("manifest*") if _NAME.fullmatch(path.name))
    amounts: dict[int, Amount] = {}
    entries: dict[str, Entry] = {}
    failures: dict[int, FailedPoint] = {}
    headers, n_damaged = [], 0
    for path in paths:
        first, *lines = path.read_bytes().split(b"\n")
        headers.append(_header(first, path))
        if headers[-1].sha256 != headers[0].sha256:
            raise SampleFormatError(f"'{paths[0]}' and '{path}' are of two campaigns")
        for line in filter(None, lines):
            try:
                if b'"file"' in line:
                    entry = Entry.model_validate_json(line)
                    entries[entry.file] = entry
                elif b'"reason"' in line:
                    failure = FailedPoint.model_validate_json(line)
                    failures[failure.point] = failure
                else:
                    amount = Amount.model_validate_json(line)
                    amounts[amount.point] = amount
            except ValidationError:
                n_damaged += 1
    if not paths:
        return None
    names = tuple(path.name for path in paths)
    return Manifest(headers[0], amounts, entries, failures, names, n_damaged)


def _header(line: bytes, path: Path) -> Header:
    try:
        return Header.model_validate_json(line)
    except ValidationError:
        raise SampleFormatError(
            f"'{path}' is no manifest of a campaign that this darkbelle reads, or a damaged one"
        ) from None


def write_manifest(
    path: Path,
    header: Header,
    amounts: Iterable[Amount],
    entries: Iterable[Entry],
    failures: Iterable[FailedPoint] = (),
) -> None:
    """Put a whole manifest in its place; OutputError when the disk refuses it."""
    lines = [line.to_json() for line in (header, *amounts, *entries, *failures)]
    replace_text(path, "".join(lines))


@contextmanager
def refusals_told() -> Iterator[None]:
    """Tell as OutputError what the system refuses meanwhile."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise
        raise OutputError(f"cannot write '{error.filename}': {error.strerror}") from None


def delete_asides(folder: Path, names: Collection[str] | None) -> None:
    """Delete what killed runs left of some files in a folder that they would have replaced.

    None are all; nobody else may be writing those files.
    """
    for path in folder.glob(".*.part"):
        found = _ASIDE.fullmatch(path.name)
        if found and (names is None or found["file"] in names):
            path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Journal:
    """Adds lines to a manifest, each of them on the disk before the next one."""

    path: Path
    file: RawIOBase

    @classmethod
    @contextmanager
    def of(cls, path: Path) -> Iterator[Self]:
        """That of a manifest, which is open meanwhile; OutputError when the disk refuses it."""
        with ExitStack() as opened:
            with refusals_told():
                file = opened.enter_context(path.open("ab", buffering=0))
            yield cls(path, file)

    def add(self, line: Amount | Entry | FailedPoint) -> None:
        """Add a line; OutputError when the disk refuses it."""
        octets = line.to_json().encode()
        try:
            if self.file.write(octets) != len(octets):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self.file.fileno())
        except OSError as error:
            raise OutputError(f"writing '{self.path}' failed: {error.strerror}") from None


def difference(header: Header, other: Header) -> str:
    """In what two campaigns differ, in words."""
    if header.version != other.version:
        return f"made by darkbelle {header.version}, this is {other.version}"
    keys = {*header.campaign, *other.campaign}
    different = sorted(k for k in keys if header.campaign.get(k) != other.campaign.get(k))
    return (
        f"it differs in {', '.join(different)}" if different else "its cards or defaults are others"
    )
