"""MAHNOB-HCI: reader and a fabricated miniature."""
