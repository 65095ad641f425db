"""How results look: a table for people, bytes for programs, which load no rich."""
