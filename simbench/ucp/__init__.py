"""The UCP protocol, sans-IO: frames, fields, content, sessions."""
