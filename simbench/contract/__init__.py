"""The contract as data: every promise, number and price, and nowhere else. Computes no verdict."""
