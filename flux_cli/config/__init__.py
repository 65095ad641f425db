"""Settings and the credential store."""
