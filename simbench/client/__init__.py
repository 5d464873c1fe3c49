"""The reference client: a sans-IO core, and an asyncio shell that adds clock and sockets."""
