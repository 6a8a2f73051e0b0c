"""One process each: wiring of stages, and the commands that start them."""
