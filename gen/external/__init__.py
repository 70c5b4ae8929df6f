"""Events of other generators: HepMC3, HepMC2 and LHE files become truth records."""

from __future__ import annotations

from darkbelle.gen.external.cleaning import truth_of
from darkbelle.gen.external.raw import RawEvents
from darkbelle.gen.external.reading import BLOCK_SIZE, EventFile, Reading, read

__all__ = ["BLOCK_SIZE", "EventFile", "RawEvents", "Reading", "read", "truth_of"]
