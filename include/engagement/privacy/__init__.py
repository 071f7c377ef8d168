"""Privacy: how long things are kept, and what one patron may ask of the library."""
