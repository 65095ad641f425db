"""Readers of what users give: text, JSON, JSON lines and CSV."""
