"""Couplings to widths, branching fractions and lifetimes; each formula with its source."""
