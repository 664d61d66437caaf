#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each function that the libraries export has a manual page that says something of it, and groff has no complaint."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ['MUSTER_BUILD'])


def exported():
    names = set()
    shared = sorted((BUILD / 'lib').rglob('libmuster*.so'))
    for library in shared or sorted((BUILD / 'lib').rglob('libmuster*.a')):
        listed = subprocess.run(['nm', '-D' if shared else '-g', '--defined-only', library], capture_output=True, text=True,
                                check=True).stdout
        names |= set(re.findall(r' T (muster_(?!_)\w+)', listed))
    return names


def problem_of(directory, name):
    page = directory / f'{name}.3'
    if not page.exists():
        return 'no page'
    text = page.read_text(encoding='utf-8')
    if text.startswith('.so '):
        text = (directory.parent / text.split()[1]).read_text(encoding='utf-8')
    head, _, rest = text.partition(f'.SS {name}()\n')
    said = rest.split('\n.S', 1)[0].replace('.PP', '').strip()
    if not said:
        return 'nothing is said of it'
    return None if name in head.split('.SH SYNOPSIS')[0] else 'not in the NAME of its page'


def complaints(page):
    done = subprocess.run(['groff', '-man', '-Tutf8', '-ww', page], capture_output=True, text=True, check=False)
    return done.stderr.splitlines()


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch) / 'man3'
        subprocess.run([sys.executable, ROOT / 'scripts/man-pages', '--version', '0', ROOT / 'include', directory], check=True)
        names = exported()
        for name in sorted(names):
            problem = problem_of(directory, name)
            if problem:
                print(f'{name}: {problem}')
                failed += 1
        for page in sorted(directory.iterdir()):
            if not page.read_text(encoding='utf-8').startswith('.so '):
                for line in complaints(page):
                    print(line)
                    failed += 1
        print(f'{len(names)} functions, {len(list(directory.iterdir()))} pages and links, {failed} problems')
    return 1 if failed or len(names) < 100 else 0


if __name__ == '__main__':
    sys.exit(main())
