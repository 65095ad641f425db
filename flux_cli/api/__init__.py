"""The HTTP client of the tasks endpoint. Nothing outside this folder imports httpx."""
