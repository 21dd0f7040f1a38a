"""The radio link: finding, connecting, listening, keeping alive. The only importer of bleak."""
