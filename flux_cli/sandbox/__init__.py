"""A local endpoint that speaks the contract, for trying things out and for tests."""
