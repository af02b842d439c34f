"""Large invented shops, the same for the same seed: to measure on, and to try a shop at its size."""
