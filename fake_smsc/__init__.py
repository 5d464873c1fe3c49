"""The live SMSC: an asyncio shell around the gateway. Decides nothing itself. PYTEST_DONT_REWRITE"""
