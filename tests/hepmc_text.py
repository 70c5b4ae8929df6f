"""HepMC3 files in text, read by their grammar alone, without any library."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Point = tuple[float, ...]


@dataclass
class Event:
    """An event as its lines say: particles by number, vertices by their (negative) number."""

    number: int
    n_vertices: int
    n_particles: int
    position: Point
    weights: list[float] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    cross_section: list[float] = field(default_factory=list)
    particles: dict[int, dict[str, Any]] = field(default_factory=dict)
    incoming: dict[int, list[int]] = field(default_factory=dict)
    points: dict[int, Point] = field(default_factory=dict)

    def parents(self, particle: int) -> list[int]:
        """Numbers of the parents: a particle stands for the vertex that it ends in."""
        origin = self.particles[particle]["origin"]
        if origin == 0:
            return []
        return [origin] if origin > 0 else self.incoming[origin]

    def start(self, particle: int) -> Point:
        """Where a particle was born; a vertex without a place is where its parents were born."""
        origin = self.particles[particle]["origin"]
        if origin in self.points:
            return self.points[origin]
        parents = self.parents(particle)
        return self.start(parents[0]) if parents else self.position


@dataclass
class Listing:
    """A file: what stands before the events, and these."""

    version: str
    weight_names: list[str]
    tools: list[list[str]]
    events: list[Event]


def _plain(text: str) -> str:
    r"""A text of the header: ``\|`` is a new line, ``\\`` a backslash."""
    pieces = text.split("\\\\")
    return "\\".join(piece.replace("\\|", "\n") for piece in pieces)


def _point(words: list[str]) -> Point:
    return tuple(float(word) for word in words)


def read(path: Path) -> Listing:
    """A whole file."""
    lines = path.read_text().splitlines()
    assert lines[0].startswith("HepMC::Version ")
    assert lines[1] == "HepMC::Asciiv3-START_EVENT_LISTING"
    end = lines.index("HepMC::Asciiv3-END_EVENT_LISTING")
    assert not any(lines[end + 1 :])
    found = Listing(lines[0].split()[1], [], [], [])
    for line in lines[2:end]:
        key, _, rest = line.partition(" ")
        words = rest.split()
        if key == "E":
            number, n_vertices, n_particles = map(int, words[:3])
            assert words[3:4] in ([], ["@"])
            position = _point(words[4:]) or (0.0,) * 4
            found.events.append(Event(number, n_vertices, n_particles, position))
        elif key == "T":
            found.tools.append(_plain(rest).split("\n", 2))
        elif key == "W" and not found.events:
            found.weight_names = _plain(rest).split("\n")
        else:
            _add(found.events[-1], key, words)
    return found


def _add(event: Event, key: str, words: list[str]) -> None:
    if key == "U":
        event.units = words
    elif key == "W":
        event.weights = [float(word) for word in words]
    elif key == "A":
        assert words[:2] == ["0", "GenCrossSection"]
        event.cross_section = [float(word) for word in words[2:]]
    elif key == "V":
        number = int(words[0])
        assert words[2][0] + words[2][-1] == "[]"
        event.incoming[number] = [int(word) for word in words[2][1:-1].split(",")]
        if len(words) > 3:
            assert words[3] == "@"
            event.points[number] = _point(words[4:])
    else:
        assert key == "P"
        number, origin, pdg_id = map(int, words[:3])
        assert number == len(event.particles) + 1
        px, py, pz, e, mass = map(float, words[3:8])
        event.particles[number] = {
            "origin": origin,
            "pdg_id": pdg_id,
            "momentum": (px, py, pz, e),
            "mass": mass,
            "status": int(words[8]),
        }
