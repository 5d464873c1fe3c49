"""Reads tables of other programs: delimited text, Parquet and XLSX, as rows of named cells."""
