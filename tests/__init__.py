"""Proof from outside: the program as a subprocess, real sockets, a real pseudo-terminal."""
