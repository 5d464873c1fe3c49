"""Planning of short codes and rates: the tier advisor and parameter sweeps, on top of simulated worlds."""
