"""The Airflow side of engagement: assets, periods, connections, defaults."""
