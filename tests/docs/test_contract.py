#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each sentence of docs/contract.md with a dot before it is the name of a test that is run."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tests():
    """Those that a program registers, and the stories of the simulation, which it goes through by their traces."""
    names = {path.stem for path in (ROOT / 'tests/data/golden').glob('*.trace')}
    for path in (ROOT / 'tests').rglob('*.c'):
        text = path.read_text(encoding='utf-8')
        for name in re.findall(r'cmocka_unit_test(?:_setup|_teardown|_setup_teardown)?\((\w+)', text):
            if re.search(r'^static void ' + name + r'\(void \*\*', text, re.M):
                names.add(name)
    return names


def name_of(sentence):
    return re.sub(r'[^a-z0-9]+', '_', sentence.lower().replace("'s ", 's ')).strip('_')


def main():
    known = tests()
    text = (ROOT / 'docs/contract.md').read_text(encoding='utf-8')
    sentences = re.findall(r'^\* (.*)$', text, re.M)
    missing = [s for s in sentences if name_of(s) not in known]
    for sentence in missing:
        print(f'docs/contract.md: "{sentence}": there is no test {name_of(sentence)}')
    print(f'{len(sentences)} sentences, {len(missing)} without a test')
    return 1 if missing or len(sentences) < 20 else 0


if __name__ == '__main__':
    sys.exit(main())
