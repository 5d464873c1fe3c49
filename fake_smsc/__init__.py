"""A complete fake SMSC: core, UCP gateway, asyncio server, wire faults and a vectorised path. PYTEST_DONT_REWRITE"""
