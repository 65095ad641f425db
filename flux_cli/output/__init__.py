"""How results look: a table for people, bytes for programs. Only `table` imports rich."""
