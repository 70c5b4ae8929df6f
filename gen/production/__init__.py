"""Hard processes of e+e- annihilation: amplitudes, sampling, cross-sections; without beams."""
