"""Monitor: what the executives are told every month."""
