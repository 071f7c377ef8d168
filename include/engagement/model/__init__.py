"""Model: read the patrons, check them, publish who the real customers are."""
