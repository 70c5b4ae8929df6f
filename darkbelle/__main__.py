"""``python -m darkbelle`` is the command ``darkbelle``."""

from __future__ import annotations

from darkbelle.samples.cli import main

if __name__ == "__main__":
    main()
