"""Folders of campaigns once they are made: shards of one joined, all parts verified."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from darkbelle.errors import ConfigError, MergeError, OutputError, SampleFormatError
from darkbelle.samples.campaigns.folder import POINTS, check_folder, locked
from darkbelle.samples.campaigns.manifest import (
    WHOLE,
    Entry,
    FailedPoint,
    Manifest,
    difference,
    read_manifests,
    refusals_told,
    write_manifest,
)
from darkbelle.samples.files.aside import aside, replace_text
from darkbelle.samples.files.hdf5 import digest_of
from darkbelle.samples.files.integrity import verify
from darkbelle.samples.progress import Progress, silent

__all__ = ["join_shards", "missing_parts", "verify_folder"]


@dataclass(frozen=True, slots=True)
class Verified:
    """What is wrong with the parts of a campaign, and how many there are."""

    complaints: tuple[str, ...]
    n_parts: int
    """In the manifest."""
    n_missing: int
    """Parts that were not made yet; of points whose number of parts is not known, one."""
    failures: tuple[FailedPoint, ...]
    """Points that could not be made."""


def verify_folder(
    folder: str | Path,
    *,
    progress: Progress = silent,
) -> Verified:
    """Check all parts of a campaign, each by itself and against the manifest.

    Raises
    ------
    SampleFormatError
        The folder holds no campaign.
    """
    where = Path(folder)
    manifest = _manifest(where)
    done = progress("parts", len(manifest.entries))
    complaints = []
    for entry in manifest.entries.values():
        try:
            if verify(where / entry.file) != entry.sha256:
                complaints.append(f"'{where / entry.file}' is not the file of the manifest")
        except SampleFormatError as error:
            complaints.append(str(error))
        done(1)
    lacking = _lacking(manifest, _planned(where))
    failures = tuple(manifest.failures[i] for i in sorted({*lacking} & manifest.failures.keys()))
    n_missing = sum(point not in manifest.failures for point in lacking)
    return Verified(tuple(complaints), len(manifest.entries), n_missing, failures)


def missing_parts(folder: str | Path) -> tuple[int, int]:
    """How many parts of a campaign, or of one experiment in it, were not made yet, of how many.

    Points that cannot be made have none; where it is not known how many a point has, one is
    counted. Of a folder of something else nothing is missing.

    Raises
    ------
    SampleFormatError
        The table of the campaign's points is missing or damaged.
    """
    where, experiment = Path(folder), None
    if (manifest := read_manifests(where)) is None:
        where, experiment = where / "..", where.resolve().name
        if (manifest := read_manifests(where)) is None:
            return 0, 0
    lacking = _lacking(manifest, _planned(where, experiment))
    n_missing = sum(point not in manifest.failures for point in lacking)
    made = manifest.entries.values()
    n_made = sum(experiment is None or entry.experiment == experiment for entry in made)
    return n_missing, n_missing + n_made


def join_shards(
    folders: Sequence[str | Path],
    output: str | Path,
    *,
    progress: Progress = silent,
) -> int:
    """Put the parts of shards of a campaign into one folder, with one manifest.

    Parts are linked, or copied where the disk is another one; those that are in the folder already
    stay. It can be finished by `run_campaign` if parts are missing.

    Returns
    -------
    n_parts
        Number of parts in the folder.

    Raises
    ------
    MergeError
        The folders hold several campaigns, or different files of one part.
    SampleFormatError
        A folder holds no campaign, or a damaged part; those before it are in their places.
    OutputError
        The output holds something else, or cannot be written.
    """
    if not folders:
        raise ConfigError("no folders to merge")
    target = Path(output)
    check_folder(target)
    manifests = {Path(folder): _manifest(Path(folder)) for folder in folders}
    if (own := read_manifests(target)) is not None:
        manifests = {target: own} | manifests
    elif target.is_dir() and any(not path.name.startswith(".") for path in target.iterdir()):
        raise OutputError(f"'{target}' is not empty and holds no campaign: choose another one")
    entries = _united(manifests)
    failures = {i: failed for each in manifests.values() for i, failed in each.failures.items()}
    amounts = {i: amount for each in manifests.values() for i, amount in each.amounts.items()}
    with locked(target, None):
        if read_manifests(target) != own:
            raise OutputError(f"another run wrote to '{target}' just now: do it again")
        done = progress("parts", len(entries))
        for folder, entry in entries.values():
            _bring(folder / entry.file, target / entry.file, entry)
            done(1)
        first, manifest = next(iter(manifests.items()))
        if (first / POINTS).is_file():
            replace_text(target / POINTS, (first / POINTS).read_text(encoding="utf-8"))
        write_manifest(
            target / WHOLE,
            manifest.header,
            (amounts[i] for i in sorted(amounts)),
            (entry.model_copy(update={"seconds": None}) for _, entry in entries.values()),
            (failures[i] for i in sorted(failures)),
        )
        for name in own.names if own else ():
            if name != WHOLE:
                (target / name).unlink()
    return len(entries)


def _manifest(folder: Path) -> Manifest:
    manifest = read_manifests(folder)
    if manifest is None:
        raise SampleFormatError(f"'{folder}' holds no campaign: it has no {WHOLE}")
    return manifest


def _planned(folder: Path, experiment: str | None = None) -> list[tuple[int, str]]:
    """Points and files of all parts of a campaign, "" for a point without known ones."""
    try:
        with (folder / POINTS).open(encoding="utf-8", newline="") as table:
            return [
                (int(row["index"]), row["file"])
                for row in csv.DictReader(table)
                if experiment in (None, row["experiment"])
            ]
    except (OSError, KeyError, TypeError, ValueError):
        raise SampleFormatError(f"'{folder / POINTS}' is missing or damaged") from None


def _lacking(manifest: Manifest, planned: Sequence[tuple[int, str]]) -> list[int]:
    """The points of those parts that a manifest does not tell of."""
    made = {entry.point for entry in manifest.entries.values()}
    return [
        point
        for point, file in planned
        if (file not in manifest.entries if file else point not in made)
    ]


def _united(manifests: Mapping[Path, Manifest]) -> dict[str, tuple[Path, Entry]]:
    """All parts by their files in the order of the plan, and a folder that has each."""
    (first, manifest), *others = manifests.items()
    found = {file: (first, entry) for file, entry in manifest.entries.items()}
    for folder, other in others:
        if other.header.sha256 != manifest.header.sha256:
            reason = difference(other.header, manifest.header)
            raise MergeError(f"'{folder}' holds another campaign than '{first}' ({reason})")
        for file, entry in other.entries.items():
            known_in, known = found.setdefault(file, (folder, entry))
            if known.sha256 != entry.sha256:
                raise MergeError(f"'{known_in / file}' and '{folder / file}' differ")
    return dict(sorted(found.items(), key=lambda item: (item[1][1].point, item[1][1].part)))


def _bring(source: Path, target: Path, entry: Entry) -> None:
    """Put a part that is whole into its place."""
    if digest_of(source) != entry.sha256:
        raise SampleFormatError(f"'{source}' is not the file of the manifest: make it again")
    if target.exists() and target.samefile(source):
        return
    with refusals_told():
        target.parent.mkdir(exist_ok=True)
    with aside(target, force=True) as part:
        try:
            os.link(source, part)
        except OSError:
            shutil.copyfile(source, part)
