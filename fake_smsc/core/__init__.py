"""The SMS centre: admission, routing, delivery, notices. Has no clock, socket or dice: every call is given `now`."""
