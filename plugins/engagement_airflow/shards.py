"""In how many parts a library system is read, each by a task of its own."""

import os

ALL = list(range(int(os.environ.get("ENGAGEMENT_SHARDS", "1"))))
