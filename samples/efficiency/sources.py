"""Which samples are meant by paths: files, campaigns and other folders; which are of one point."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from darkbelle.errors import ConfigError
from darkbelle.samples.campaigns.manifest import read_manifests
from darkbelle.samples.files.parts import StoredPart, disjoint, parts_of
from darkbelle.samples.files.stored import read_header, reading

__all__ = ["files_by_point", "sample_files"]


def sample_files(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """Files, the finished parts of campaigns or of their experiments, and samples of other folders.

    Raises
    ------
    ConfigError
        Nothing at all, or a folder without samples.
    """
    files: list[Path] = []
    for path in map(Path, [paths] if isinstance(paths, (str, Path)) else paths):
        found = _in_folder(path) if path.is_dir() else [path]
        if not found:
            raise ConfigError(f"'{path}' holds no samples")
        files += found
    if not files:
        raise ConfigError("no samples: name a file or a folder")
    return files


def _in_folder(folder: Path) -> list[Path]:
    """What the manifests of a campaign name there, else all that looks like a sample."""
    manifest = read_manifests(folder)
    if manifest is not None:
        return [folder / name for name in sorted(manifest.entries)]
    if (whole := read_manifests(folder / "..")) is not None:
        own = f"{folder.resolve().name}/"
        if named := sorted(name for name in whole.entries if name.startswith(own)):
            return [folder / name.removeprefix(own) for name in named]
    return sorted(folder.glob("*.h5"))


def files_by_point(files: Iterable[Path]) -> dict[tuple[str, str, str], list[Path]]:
    """Samples by process, parameters and digest of the card.

    Raises
    ------
    MergeError
        Two have events in common.
    SampleFormatError
        A file that is no sample.
    """
    points: dict[tuple[str, str, str], list[Path]] = {}
    parts: list[StoredPart] = []
    for path in files:
        with reading(path) as file:
            found = parts_of(path, read_header(file))
            points.setdefault(found[0].origin, []).append(path)
        parts += found
    disjoint(parts)
    return points
