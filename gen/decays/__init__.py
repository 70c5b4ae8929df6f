"""What lives and decays: flight and two-body decays."""
