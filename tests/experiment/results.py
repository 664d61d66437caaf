# SPDX-License-Identifier: MIT
"""Rows of a CSV file: appended one at a time, each one flushed, so that a run that is cut short can go on."""

import csv


class Results:
    def __init__(self, path, columns, resume):
        self.path = path
        self.rows = read(path) if resume else []
        whole = path.with_suffix('.new')
        with open(whole, 'w', newline='') as file:
            writer = csv.DictWriter(file, columns, lineterminator='\n')
            writer.writeheader()
            writer.writerows(self.rows)
        whole.replace(path)
        self.file = open(path, 'a', newline='')
        self.writer = csv.DictWriter(self.file, columns, lineterminator='\n')

    def add(self, **row):
        self.writer.writerow(row)
        self.file.flush()
        self.rows.append({name: str(value) for name, value in row.items()})

    def read(self):
        """Those, too, that were added by other processes."""
        self.rows = read(self.path)

    def close(self):
        self.file.close()


def read(path):
    """The whole rows: the last one may have been cut off."""
    if not path.exists():
        return []
    with open(path, newline='') as file:
        return [row for row in csv.DictReader(file) if None not in row and None not in row.values()]
