"""Payments that arrive as files: uploaded, put into a folder, or fetched by SFTP."""
