"""What `import biosense` offers: one call a job, on paths, tables and arrays."""
