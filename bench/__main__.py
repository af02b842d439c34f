"""`make bench`: a production-like server on a generated shop, measured against two floors in the same run.

CPU time is what is compared: requests per second depend on what else the machine does. The ratios are to floors
that are measured before and after, in the same run.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
DATA_DIR = ROOT / ".local" / "bench"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--products", type=int, default=5000)
    parser.add_argument("--requests", type=int, default=800, help="per measured read")
    parser.add_argument("--writes", type=int, default=160, help="per measured write")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--shared", action="store_true", help="all processes share all processors")
    parser.add_argument("--output", type=Path, default=DATA_DIR / "latest.json")
    return parser.parse_args()


def prepare(products: int) -> None:
    """Engines, tables and a shop of the asked size, kept between runs."""
    os.environ.update(DATA_DIR=str(DATA_DIR / str(products)), DEBUG="0", SQL_HEADER="1", LOG_LEVEL="ERROR")
    os.environ.setdefault("ENVIRONMENT", "development")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    from backend.local import engines

    engines.prepare_environment()
    for command in (
        ["migrate", "--verbosity", "0"],
        ["demo_data", "--products", str(products), "--seed", "1"],
    ):
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, check=True)


def in_process(module: str) -> dict[str, float]:
    """Milliseconds that a process of its own has measured in itself."""
    done = subprocess.run([sys.executable, "-m", module], cwd=ROOT, check=True, capture_output=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    arguments = parse_arguments()
    from bench.processes import spare_processor

    processor = None if arguments.shared else spare_processor()
    prepare(arguments.products)
    import django

    django.setup()
    from bench.measure import postmaster, run
    from bench.report import report, save

    postmaster()
    results = asyncio.run(run(arguments, in_process("bench.lists"), processor))
    sys.stdout.write(report(results) + "\n")
    save(results, arguments.output)
    sys.stdout.write(f"Saved to {arguments.output}.\n")


if __name__ == "__main__":
    main()
