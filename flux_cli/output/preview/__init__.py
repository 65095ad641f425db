"""Pictures in the terminal: how to ask it what it can show, and how to draw for each kind."""
