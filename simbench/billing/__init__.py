"""Money: what a contract's acts and delivered messages cost, and whether a bill says so. Simulates nothing."""
