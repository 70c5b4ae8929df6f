"""Events for tests of observables: made by hand, or seen by a detector without errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from darkbelle import gen, geometry
from darkbelle.detsim import ClusterTable, FitStatus, TrackTable, simulate
from darkbelle.gen.beams import axes_of_collision
from darkbelle.gen.kinematics import from_axes
from darkbelle.units import CURVATURE

PERFECT = geometry.load(
    "belle2",
    [
        "collider.beam_spread=false",
        "drift_chamber.hit_efficiency=1",
        "drift_chamber.material_x0_per_cm=0",
        *(f"passive.{n}.thickness_x0=0" for n in ("beam_pipe", "cdc_inner_wall", "cdc_outer_wall")),
        *(f"silicon.{n}.thickness_x0=0" for n in ("pxd1", "pxd2", "svd3", "svd4", "svd5", "svd6")),
        *(f"silicon.{n}.sigma_rphi_um=1e-3" for n in ("pxd1", "svd3", "svd4", "svd5", "svd6")),
        *(f"silicon.{n}.sigma_z_um=1e-3" for n in ("pxd1", "svd3", "svd4", "svd5", "svd6")),
        "tracking.tails.fraction=0",
        "tracking.tails.variation={}",
        "tracking.tails.trust='measured'",
        "tracking.momentum_smearing.pt_coefficient_per_gev=0",
        "tracking.momentum_smearing.beta_coefficient=0",
    ],
)


def by_hand(*events):
    """Events of given tracks, each (charge, momentum [GeV], whether that is really known)."""
    gun = gen.ParticleGun(p=1.0).generate(PERFECT.collider, len(events), np.random.default_rng(1))
    tracks = [track for event in events for track in event]
    charge = np.array([q for q, _, _ in tracks], dtype=np.int8)
    good = np.array([is_good for _, _, is_good in tracks], dtype=bool)
    px, py, pz = np.array([p for _, p, _ in tracks]).reshape(-1, 3).T
    pt, zero = np.hypot(px, py), np.zeros(len(tracks))
    omega = charge * CURVATURE * PERFECT.solenoid.field_t / pt
    helix = np.stack([zero, np.arctan2(py, px), omega, zero, pz / pt], axis=-1)
    hits = np.full(len(tracks), 9, dtype=np.int8)
    table = TrackTable(
        helix=helix,
        cov=np.broadcast_to(1e-6 * np.eye(5), (len(tracks), 5, 5)),
        charge=charge,
        n_hits_pxd=hits,
        n_hits_svd=hits,
        n_hits_cdc=hits,
        first_hit_radius=np.ones(len(tracks)),
        cluster_index=np.full(len(tracks), -1, dtype=np.int16),
        e_over_p=np.full(len(tracks), np.nan),
        pid=np.zeros((len(tracks), 0), dtype=bool),
        truth_index=np.zeros(len(tracks), dtype=np.int32),
        fit_status=np.where(good, FitStatus.OK, FitStatus.NO_FIELD).astype(np.int8),
    )
    offsets = np.cumsum([0, *map(len, events)])
    reco = simulate(gun, PERFECT, rng=np.random.default_rng(2))
    return replace(reco, tracks=table, track_offsets=offsets)


def observed_in(process, card, n_events, compute, seed=11):
    """Truth, what a detector makes of it, and the observables."""
    rng = np.random.default_rng(seed)
    truth = process.generate(card.collider, n_events, rng)
    reco = simulate(truth, card, rng=rng)
    return truth, reco, compute(reco, card)


def with_clusters(*events, tracks=()):
    """Events of given clusters, each (momentum [GeV], whether a track owns it)."""
    reco = by_hand(*(tracks or [()] * len(events)))
    rows = [cluster for event in events for cluster in event]
    p = np.array([momentum for momentum, _ in rows]).reshape(-1, 3)
    energy = np.linalg.norm(p, axis=1)
    ones = np.ones(len(rows))
    fields = dict.fromkeys(ClusterTable.__dataclass_fields__, ones)
    fields |= {
        "energy": energy,
        "theta": np.arccos(p[:, 2] / energy),
        "phi": np.arctan2(p[:, 1], p[:, 0]),
        "track_index": np.array([0 if owned else -1 for _, owned in rows], dtype=np.int32),
    }
    offsets = np.cumsum([0, *map(len, events)])
    return replace(reco, clusters=ClusterTable(**fields), cluster_offsets=offsets)


def to_lab(*momenta):
    """Momenta of light in the centre of mass, z along the electrons, as seen in the laboratory."""
    p = np.array(momenta, float).T
    p = np.concatenate([np.linalg.norm(p, axis=0)[None], p])
    return from_axes(p, axes_of_collision(PERFECT.collider))[1:].T
