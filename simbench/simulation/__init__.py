"""The platform and its clients in virtual time: an event-driven engine (SimPy) and a vectorised one."""
