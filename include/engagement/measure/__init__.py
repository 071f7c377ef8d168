"""The measure step: ask a sample of the real customers, and read what comes back."""
