"""What loads, filters and sorts events for the kernel."""
