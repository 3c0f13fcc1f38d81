"""What members and recipients are told in writing: what it must say, by when, and a register of what was sent."""
