"""The asyncio shell of the SMSC: connections, platform clock, outages, control, saved state."""
