"""Fit Cornac's BPR for its service and print where it lies; runs in Cornac's own environment.

python fit_cornac.py PAIRS.csv FOLDER      rows of user and item
"""

import csv
import sys
from pathlib import Path

from cornac.data import Dataset
from cornac.models import BPR


def main(pairs: Path, folder: Path) -> str:
    """Fit and save with what users had, which the service leaves out of their lists."""
    with pairs.open(newline="") as file:
        data = Dataset.from_uir([(user, item, 1.0) for user, item in csv.reader(file)])
    model = BPR(k=64, max_iter=20, seed=0, verbose=False).fit(data)
    return str(model.save(str(folder), save_trainset=True))


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), Path(sys.argv[2])))
