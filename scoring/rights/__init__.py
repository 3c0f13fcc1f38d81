"""What disputes, corrections, reviews and due notices have in common: a case, with a deadline that is watched."""
