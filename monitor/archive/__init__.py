"""What is kept of alerts: SQL tables, migrations, queries."""
