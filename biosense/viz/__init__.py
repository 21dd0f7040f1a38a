"""One palette and one SVG toolkit for everything that is drawn."""
