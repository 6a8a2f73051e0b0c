"""The REST API beside the pages: alerts, cameras, health, metrics, media."""
