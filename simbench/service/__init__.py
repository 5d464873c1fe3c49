"""A running SMSC as a service: control API, console, metrics and logs. Decides nothing about messages.

Its modules need the optional extra `console`; nothing else imports them before they are asked for.
"""
