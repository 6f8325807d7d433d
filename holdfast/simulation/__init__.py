"""The deterministic simulator: the real code under one seed, with everything that can go wrong."""
