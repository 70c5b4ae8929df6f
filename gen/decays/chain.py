"""Chains of exclusive decays as users write them: who decays to what, by EvtGen's names."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from particle import Particle
from particle.converters import EvtGenName2PDGIDBiMap
from particle.exceptions import MatchingIDNotFound
from pydantic import BeforeValidator, Field, model_validator

from darkbelle.errors import ConfigError
from darkbelle.gen.decays.exclusive import exclusive_mode, known_state
from darkbelle.gen.decays.tree import Decay, State
from darkbelle.gen.line_shapes import BROAD, line_shape
from darkbelle.gen.particles import charges, conjugate, species
from darkbelle.settings import Settings
from darkbelle.units import MeV

__all__ = ["Chain", "read_chain"]

_LARGEST_EXCESS = 1e-6
"""GeV that daughters may weigh more than their parent, by rounding."""
_HINT = "names are those of EvtGen, like K_S0"
_LARGEST_SURPLUS = 1e-6
"""Of all branching fractions above 1, by rounding."""


def _split(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


def _as_mode(value: Any) -> Any:
    return {"daughters": value} if isinstance(value, str) else value


def _as_modes(value: Any) -> Any:
    modes = [value] if isinstance(value, (str, Mapping)) else value
    return [_as_mode(mode) for mode in modes] if isinstance(modes, (list, tuple)) else modes


class ChainMode(Settings):
    """Daughters by their names, and the branching fraction; without one, modes share evenly."""

    daughters: Annotated[tuple[str, ...], BeforeValidator(_split), Field(min_length=2)]
    fraction: Annotated[float | None, Field(gt=0, le=1)] = None


class Chain(Settings):
    """The parent of all, and what it and some of those that come of it decay to.

    Particles without decays here decay as their table says, or are left to the detector. What is
    said of a particle holds for its antiparticle, conjugated, unless that has decays of its own.
    """

    parent: Annotated[str, Field(description="what all decays begin with, by EvtGen's name")]
    decays: Annotated[
        dict[str, Annotated[tuple[ChainMode, ...], BeforeValidator(_as_modes)]],
        Field(description="by particle: daughters, and branching fractions if wanted"),
    ]

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._refuse_twice()
        if code_of(self.parent) not in self._codes():
            msg = f"decays: those of the parent, {self.parent}, are missing"
            raise ValueError(msg)
        for name, modes in self.decays.items():
            if not modes:
                msg = f"decays.{name}: needs a mode at least"
                raise ValueError(msg)
            for mode in modes:
                _check_mode(name, mode)
            _check_fractions(name, modes)
        used = set(self._reached(code_of(self.parent), ()))
        for name in self.decays:
            if not {code_of(name), conjugate(code_of(name))} & used:
                msg = f"decays.{name}: nothing in the chain decays to it"
                raise ValueError(msg)
        return self

    def _refuse_twice(self) -> None:
        """A particle has a name and a code, and may have its decays by one of them."""
        named: dict[int, str] = {}
        for name in self.decays:
            first = named.setdefault(code_of(name), name)
            if first != name:
                msg = f"decays.{name}: is the same particle as decays.{first}, give one of them"
                raise ValueError(msg)

    def _codes(self) -> dict[int, tuple[ChainMode, ...]]:
        return {code_of(name): modes for name, modes in self.decays.items()}

    def _reached(self, pdg_id: int, above: tuple[int, ...]) -> Iterator[int]:
        """Codes that occur, with their conjugates."""
        if pdg_id in above:
            msg = f"decays.{species(pdg_id).name}: must not come of itself"
            raise ValueError(msg)
        yield pdg_id
        for codes in self.daughters(pdg_id):
            for code in codes:
                yield from self._reached(code, (*above, pdg_id))

    def _modes_of(self, pdg_id: int) -> list[tuple[ChainMode, int]]:
        """Modes of a particle, with -1 where they are those of its antiparticle."""
        own = self._codes()
        if pdg_id in own:
            return [(mode, 1) for mode in own[pdg_id]]
        return [(mode, -1) for mode in own.get(conjugate(pdg_id), ())]

    def daughters(self, pdg_id: int) -> list[tuple[int, ...]]:
        """What a particle decays to in each of its modes, by PDG codes."""
        return [
            tuple(code if sign > 0 else conjugate(code) for code in map(code_of, mode.daughters))
            for mode, sign in self._modes_of(pdg_id)
        ]

    def state(self, pdg_id: int) -> State:
        """A particle with what the chain says of its decays."""
        modes = self._modes_of(pdg_id)
        if not modes:
            return known_state(pdg_id)
        known = species(pdg_id)
        built = []
        for (mode, _), codes in zip(modes, self.daughters(pdg_id), strict=True):
            fraction = 1 / len(modes) if mode.fraction is None else mode.fraction
            built.append(exclusive_mode(pdg_id, [self.state(code) for code in codes], fraction))
        return replace(State.of(pdg_id), decay=Decay(known.ctau, tuple(built)))


def read_chain(value: Any) -> Any:
    """A chain from the path of a TOML file; anything else as it is.

    A tree as DecayLanguage makes it, ``{parent: [{"bf": ..., "fs": [...]}, ...]}`` with such trees
    among the daughters, is taken apart.
    """
    if isinstance(value, (str, Path)):
        try:
            return tomllib.loads(Path(value).read_text(encoding="utf-8"))
        except OSError as error:
            msg = f"{value}: {error.strerror}"
            raise ValueError(msg) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            msg = f"{value}: is no TOML file, {error}"
            raise ValueError(msg) from None
    if isinstance(value, Mapping) and len(value) == 1 and not {"parent", "decays"} & {*value}:
        (parent,) = value
        decays: dict[str, Any] = {}
        _take_apart(value, decays)
        return {"parent": parent, "decays": decays}
    return value


def _take_apart(tree: Mapping[str, Any], decays: dict[str, Any]) -> None:
    """The decays in a tree of DecayLanguage, by their parents."""
    for parent, modes in tree.items():
        found = []
        for daughters, fraction in _of_tree(parent, modes):
            names = [name for daughter in daughters for name in daughter]
            found.append({"daughters": names, "fraction": fraction})
            for daughter in daughters:
                if isinstance(daughter, Mapping):
                    _take_apart(daughter, decays)
        if decays.setdefault(parent, found) != found:
            msg = f"decays.{parent}: must be the same wherever it occurs"
            raise ValueError(msg)


def _of_tree(parent: str, modes: Any) -> Iterator[tuple[list[tuple[str] | Mapping[str, Any]], Any]]:
    """Daughters, by themselves or with their decays, and the fraction of each mode."""
    for mode in modes if isinstance(modes, (list, tuple)) else (None,):
        daughters = mode.get("fs") if isinstance(mode, Mapping) else None
        if not isinstance(daughters, (list, tuple)):
            msg = f"decays.{parent}: needs 'parent' and 'decays', or modes with 'fs'"
            raise ValueError(msg)
        for daughter in daughters:
            if not isinstance(daughter, str) and not (
                isinstance(daughter, Mapping) and len(daughter) == 1
            ):
                msg = f"decays.{parent}: 'fs' must list names, or decays of one particle each"
                raise ValueError(msg)
        yield [(one,) if isinstance(one, str) else one for one in daughters], mode.get("bf")


def code_of(name: str) -> int:
    """PDG code of a particle by its name as in EvtGen, or by the code itself."""
    try:
        code = int(name)
    except ValueError:
        code = _code_by_name(name)
    try:
        mass = species(code).mass
    except ConfigError as error:
        msg = f"{error}, {_HINT}"
        raise ValueError(msg) from None
    if mass is None:
        msg = f"'{name}' has no mass of its own, nothing can be said of its decays"
        raise ValueError(msg)
    return code


def _code_by_name(name: str) -> int:
    """As in EvtGen."""
    try:
        return int(EvtGenName2PDGIDBiMap[name])
    except MatchingIDNotFound:
        near = difflib.get_close_matches(name, _names(), n=1)
        hint = f"did you mean '{near[0]}'?" if near else _HINT
        msg = f"unknown particle '{name}', {hint}"
        raise ValueError(msg) from None


def _names() -> list[str]:
    """EvtGen's names of the particles that have one."""
    names = []
    for particle in Particle.all():
        try:
            names.append(particle.evtgen_name)
        except MatchingIDNotFound:
            continue
    return names


def _check_mode(parent: str, mode: ChainMode) -> None:
    """Charge and energy must do."""
    codes = np.array([code_of(name) for name in mode.daughters], np.int32)
    for name in (parent, *mode.daughters):
        _check_width(name)
    known = species(code_of(parent))
    said = f"decays.{parent}: {' '.join(mode.daughters)}"
    if charges(codes).sum() != known.charge:
        msg = f"{said} has not the charge of {parent}, {known.charge:+d}"
        raise ValueError(msg)
    least = sum(_least_mass(int(code)) for code in codes)
    if least > _most_mass(code_of(parent)) + _LARGEST_EXCESS:
        msg = f"{said} is heavier, {least:.6g} GeV, than {parent}"
        raise ValueError(msg)


def _check_fractions(parent: str, modes: Sequence[ChainMode]) -> None:
    """All modes have one or none has, and together they are not more than all decays."""
    fractions = [mode.fraction for mode in modes if mode.fraction is not None]
    said = " + ".join(f"{fraction:g}" for fraction in fractions)
    if fractions and len(fractions) < len(modes):
        missing = next(" ".join(mode.daughters) for mode in modes if mode.fraction is None)
        msg = f"decays.{parent}: fractions of some modes ({said}), but none of {missing}"
        raise ValueError(msg)
    if sum(fractions) > 1 + _LARGEST_SURPLUS:
        msg = f"decays.{parent}: fractions {said} = {sum(fractions):.6g} pass 1"
        raise ValueError(msg)


def _check_width(name: str) -> None:
    """What is broad needs a line shape."""
    code = code_of(name)
    width = (Particle.from_pdgid(code).width or 0.0) * MeV
    if width > BROAD and line_shape(code) is None:
        msg = f"{name} is broad, {width:.3g} GeV, and has no line shape here"
        raise ValueError(msg)


def _least_mass(pdg_id: int) -> float:
    shape = line_shape(pdg_id)
    return (species(pdg_id).mass or 0.0) if shape is None else shape.least


def _most_mass(pdg_id: int) -> float:
    shape = line_shape(pdg_id)
    return (species(pdg_id).mass or 0.0) if shape is None else shape.most
