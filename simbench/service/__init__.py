"""A running SMSC as a service: control API, console, metrics and logs.

Its modules need the optional extra `console`; they are imported only when used.
"""
