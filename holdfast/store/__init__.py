"""The only SQLite. Knows rows and bytes, not documents, networks or clocks."""
