"""The commands of ``causeway``, one module each; ``workers.cli`` dispatches to them."""
