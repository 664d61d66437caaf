#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each function that the libraries export has a manual page that says something of it, tables and programs of the headers'
comments stand in them line by line, and groff has no complaint."""

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


def as_it_stands(page):
    """The lines that groff doesn't fill."""
    examples = re.findall(r'^\.EX\n(.*?)^\.EE$', page.read_text(encoding='utf-8'), re.M | re.S)
    return {line.strip() for text in examples for line in text.replace('\\-', '-').split('\n')}


def run_together(directory):
    """Lines of the comments before the headers that have columns, and aren't so in their pages."""
    for header in [ROOT / 'include/muster.h', *sorted((ROOT / 'include/muster').glob('*.h'))]:
        about = re.search(r'/\*\*.*?\*/', header.read_text(encoding='utf-8'), re.S)
        page = directory / ('muster.3' if header.name == 'muster.h' else f'muster_{header.stem}.3')
        if about and page.exists():
            lines = re.findall(r'^ \* {2,}(\S.*?\S {2,}\S.*)$', about[0], re.M)
            yield from (f'{page.name}: {line}' for line in lines if line not in as_it_stands(page))


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
        for line in run_together(directory):
            print(f'run together: {line}')
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
