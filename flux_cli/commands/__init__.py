"""One module a command group: parse options, call the engine, hand results to an output."""
