"""What a task is: ids and where they came from, states, records. No network, no terminal."""
