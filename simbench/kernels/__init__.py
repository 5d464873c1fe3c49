"""The decisions every message meets, as scalar functions over plain numbers. Keeps no state."""
