"""The fusion families, one a file, and the table that names them."""
