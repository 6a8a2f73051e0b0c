"""Causeway's stages: capture -> buffer -> trigger -> evidence -> query -> alert -> archive.

A stage never imports another one. They share the nouns in ``monitor.domain`` and meet in
``workers/`` (processes) and ``dashboards/`` (the operator's web app).
"""
