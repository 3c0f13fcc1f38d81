"""The console's pages, one noun a file; each file lists its pages."""
