"""Decays of the tau: hadronic currents, leptons, how each analyses the spin."""
