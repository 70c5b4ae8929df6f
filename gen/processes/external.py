"""Events of other generators as the source of a sample: the file, and how it was read."""

from __future__ import annotations

from typing import Annotated

from darkbelle.gen.external.reading import Reading
from darkbelle.gen.processes.base import Source, parameter

__all__ = ["ExternalEvents"]


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
