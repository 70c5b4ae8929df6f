"""Events of other generators: HepMC3, HepMC2 and LHE files become truth records."""

from __future__ import annotations

from darkbelle.gen.external.cleaning import truth_of
from darkbelle.gen.external.raw import RawEvents
from darkbelle.gen.external.reading import BLOCK_SIZE, EventFile, Reading, read
from darkbelle.gen.external.unknown import count_unknown

__all__ = ["BLOCK_SIZE", "EventFile", "RawEvents", "Reading", "count_unknown", "read", "truth_of"]
