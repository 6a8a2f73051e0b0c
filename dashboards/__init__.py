"""The operator's web app and its REST API."""
