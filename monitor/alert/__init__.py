"""The alert: building it, its JSON Schema, MQTT."""
