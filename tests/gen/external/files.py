"""Small files of events, written by the libraries or by hand, as other generators have them.

e+ e- -> gamma X, X -> mu+ mu-, in the centre of mass: with a virtual photon and a copy of X, as
generators write them; X has a code of its own, and decays 2 mm away in its direction of flight.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyhepmc

from darkbelle.gen.kinematics import boost, two_body
from darkbelle.geometry import load

COLLIDER = load("belle2").collider
SQRT_S = COLLIDER.sqrt_s
X, MASS, FLIGHT_MM = 9_000_005, 2.0, 2.0
CODES = (11, -11, 23, X, 22, X, 13, -13)
STATES = (4, 4, 22, 44, 1, 2, 1, 1)
PARENTS = ((-1, -1), (-1, -1), (0, 1), (2, 2), (2, 2), (3, 3), (5, 5), (5, 5))
M_MU = 0.1056583755
MASSES = (0.0, 0.0, SQRT_S, MASS, 0.0, MASS, M_MU, M_MU)


def momenta(n: int, seed: int = 1) -> npt.NDArray[np.float64]:
    """Momenta (e, px, py, pz) of the eight entries of n events, shape (4, 8, n)."""
    rng = np.random.default_rng(seed)

    def pair(
        mass: float, first: float, second: float
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        angles = rng.uniform(-0.9, 0.9, n), rng.uniform(-np.pi, np.pi, n)
        return two_body(np.full(n, mass), first, second, *angles)

    x, photon = pair(SQRT_S, MASS, 0.0)
    muons = [boost(p, x) for p in pair(MASS, M_MU, M_MU)]
    beam = np.tile(np.array([SQRT_S / 2, 0, 0, SQRT_S / 2])[:, None], n)
    other = beam * np.array([1, 1, 1, -1])[:, None]
    return np.stack([beam, other, beam + other, x, photon, x, *muons], axis=1)


def decay_points(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Where X decays (x, y, z, ct) [mm], shape (4, n)."""
    e, *space = p[:, 5]
    speed = np.sqrt(e**2 - MASS**2) / e
    direction = np.stack(space) / np.sqrt(e**2 - MASS**2)
    return np.concatenate([FLIGHT_MM * direction, FLIGHT_MM / speed[None]])


def events(n: int, *, weights: tuple[float, ...] = (1.0,)) -> list[pyhepmc.GenEvent]:
    """Events of pyhepmc in GeV and mm."""
    p = momenta(n)
    points = decay_points(p)
    made = []
    for i in range(n):
        event = pyhepmc.GenEvent(pyhepmc.Units.GEV, pyhepmc.Units.MM)
        where = np.zeros((4, len(CODES)))
        where[:, 6:] = points[:, i, None]
        e, px, py, pz = p[..., i]
        event.from_hepevt(
            *(i, px, py, pz, e, np.array(MASSES)),
            *(np.array(CODES, np.int32), np.array(STATES, np.int32)),
            parents=np.array(PARENTS),
            **dict(zip(("vx", "vy", "vz", "vt"), where, strict=True)),
            fortran=False,
        )
        event.weights = list(weights)
        cross_section = pyhepmc.GenCrossSection()
        event.cross_section = cross_section
        cross_section.set_cross_section(1.0 + i, 0.5, -1, -1)
        made.append(event)
    return made


def write(path: Path, made: list[pyhepmc.GenEvent], kind: str = "HepMC3") -> Path:
    """A file of some events with what a run says of itself, closed as it should be."""
    run = pyhepmc.GenRunInfo()
    run.tools = [pyhepmc.GenRunInfo.ToolInfo("toy", "1.2", "by hand")]
    run.weight_names = ["nominal", "up"][: len(made[0].weights)]
    for event in made:
        event.run_info = run
    with pyhepmc.open(path, "w", format=kind) as file:
        for event in made:
            file.write(event)
    return path


def lhe(n: int, *, lifetime: float = 0.0, named: bool = True) -> str:
    """Events as MadGraph 5 writes them, X with its proper decay length [mm] in VTIMUP."""
    p = momenta(n)
    lines = [
        '<LesHouchesEvents version="3.0">',
        "<header>",
        "<MGVersion>",
        "3.5.4",
        "</MGVersion>",
        "<MG5ProcCard>",
        "<![CDATA[",
        "generate e- e+ > a x, x > mu- mu+  # a < b & c",
        "]]>",
        "</MG5ProcCard>",
        "<initrwgt>",
        "<weightgroup name='couplings' combine='none'>",
        "<weight id='rwgt_1'>set param_card dark 1 2.0e-3</weight>",
        "</weightgroup>",
        "</initrwgt>",
        "</header>",
        "<init>",
        f"11 -11 {SQRT_S / 2:.7e} {SQRT_S / 2:.7e} 0 0 0 0 -4 1",
        "2.500000e-02 1.000000e-04 2.500000e-02 1",
        "<generator name='MadGraph5_aMC@NLO' version='3.5.4'>please cite 1405.0301</generator>",
        "</init>",
    ]
    rows = ((0, -1, 0), (1, -1, 0), (4, 1, 1), (5, 2, 1), (6, 1, 4), (7, 1, 4))
    for i in range(n):
        lines += ["<event>", " 6      1 +2.5000000e-02 1.05800000e+01 7.54677100e-03 1.18e-01"]
        for place, state, mother in rows:
            e, px, py, pz = p[:, place, i]
            second = 2 if mother == 1 else mother
            mass = MASSES[place] if abs(CODES[place]) == X else 0.0
            mass = M_MU if abs(CODES[place]) == 13 else mass
            flown = lifetime if CODES[place] == X else 0.0
            lines.append(
                f" {CODES[place]:8d} {state:2d} {mother:4d} {second:4d}    0    0 {px:+.10e} "
                f"{py:+.10e} {pz:+.10e} {e:.10e} {mass:.10e} {flown:.4e} 9.0000e+00"
            )
        if named:
            lines += ["<rwgt>", f"<wgt id='rwgt_1'> {0.05 + 0.001 * i:+.7e} </wgt>", "</rwgt>"]
        lines += ["</event>"]
    return "\n".join([*lines, "</LesHouchesEvents>", ""])
