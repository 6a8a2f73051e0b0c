"""An operator's question about a file or a camera; the command itself is workers.commands.ask."""
