"""Makes the data that server.py serves; run by the prepare step, so it happens once per seed and not once per start."""

import json
import pathlib
import sys

FRUIT = ["apple", "banana", "cherry", "damson", "elderberry", "fig", "grape", "hawthorn"]


def main() -> int:
    target = pathlib.Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    prices = {name: round(0.4 + 0.35 * index + len(name) / 100, 2) for index, name in enumerate(FRUIT)}
    target.write_text(json.dumps(prices, indent=2) + "\n")
    print(f"wrote {len(prices)} prices to {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
