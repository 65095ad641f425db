"""What is kept on disk: whole files, locks, credentials."""
