"""The parts of the watch worker; ``workers.watch`` wires them together."""
