"""The simulated library: an invented AutoLib database, so that the product can be tried and tested."""
