"""The engine as an MCP server: the same answers for agents that people get."""
