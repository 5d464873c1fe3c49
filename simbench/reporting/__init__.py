"""The kit of all reports: style, figures, formats, HTML, evidence."""
