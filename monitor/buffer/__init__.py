"""Redis: rings of access units, camera state, evidence log, incidents, work queues."""
