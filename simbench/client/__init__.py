"""The reference client: a sans-IO core, and an asyncio shell with clock and sockets."""
