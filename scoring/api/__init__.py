"""The HTTP interface; with the console the only place that knows a web framework."""
