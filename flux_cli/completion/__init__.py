"""Completion scripts for four shells: static, so that a TAB starts no Python."""
