"""The UCP wire, sans-IO. Knows no contract and no clock."""
