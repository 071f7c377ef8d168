"""What a person can put right, said in one sentence."""


class EngagementError(Exception):
    """One sentence that names the thing and the remedy; it never carries a patron's values."""
