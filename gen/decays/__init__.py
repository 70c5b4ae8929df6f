"""What lives and decays: flight, decay table, matrix elements, decays of whole events."""
