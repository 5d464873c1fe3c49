"""The platform and its clients in virtual time (SimPy). Opens no socket."""
