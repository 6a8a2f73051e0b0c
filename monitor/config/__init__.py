"""streams.yaml: its shape (``models``), and reading it (``loader``)."""
