"""What comes back to a survey's return path: bounces, late mail, auto-replies and complaints."""

from engagement.measure.bounce.cause import is_dead
from engagement.measure.bounce.reading import explain, read
from engagement.measure.bounce.verdict import Reading

__all__ = ["Reading", "explain", "is_dead", "read"]
