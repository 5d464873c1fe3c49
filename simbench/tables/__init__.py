"""Tables that others wrote: delimited text, Parquet and XLSX, read by one reader into rows of named cells."""
