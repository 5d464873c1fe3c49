"""The SMS centre: admission, routing, delivery, notifications. Every call takes the time as `now`."""
