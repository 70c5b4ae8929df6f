"""The trigger: what its two levels count in an event, and the lines that fire."""
