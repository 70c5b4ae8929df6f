"""Events of other generators as the source of a sample: the file, and how it was read."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Final

from darkbelle.gen.external.reading import Reading
from darkbelle.gen.processes.base import Source, parameter

__all__ = ["ExternalEvents"]

_COMPRESSED: Final = (".gz", ".bz2", ".xz", ".zst")


class ExternalEvents(Source):
    """A file of events, as `darkbelle.samples.simulate_file` took them."""

    name = "external"
    summary = "events of another generator, out of a file"

    file: Annotated[str, parameter("name of the file")]
    sha256: Annotated[str, parameter("digest of the file")]
    format: Annotated[str, parameter("HepMC3, HepMC2 or LHE")]
    generators: Annotated[tuple[str, ...], parameter("programs that made the events")] = ()
    reading: Reading = Reading()
    carries: Annotated[tuple[str, ...], parameter("sets of observables in the sample")] = ()

    @property
    def carried(self) -> tuple[str, ...]:
        """Those that were asked for."""
        return self.carries

    @property
    def variant(self) -> str:
        """The name of the file without its endings."""
        name = PurePath(self.file)
        return (name.with_suffix("") if name.suffix in _COMPRESSED else name).stem

    @property
    def has_quoted_rate(self) -> bool:
        """As the file says it."""
        return True
