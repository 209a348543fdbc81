"""The local pages: draws what reports, stored boards and queries say, and computes no statistics."""
