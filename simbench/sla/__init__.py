"""The platform's service level: classification of outages, rolling window, restoration, notice, rates."""
