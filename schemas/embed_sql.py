#!/usr/bin/env python3
"""embed_sql.py NAME OUT FILE...: numbered migrations as `const struct flt_migration NAME[]`.

Files are 001_what.sql, 002_what.sql, ... without gaps; the count is NAME_count."""
import json
import os
import sys


def main(name, out, files):
    rows = []
    for number, path in enumerate(sorted(files, key=os.path.basename), 1):
        if int(os.path.basename(path).split('_')[0]) != number:
            sys.exit(f'embed_sql.py: {path} should be number {number}')
        with open(path, encoding='utf-8') as file:
            lines = [line.split('--')[0].rstrip() for line in file]
        text = '\n'.join('        ' + json.dumps(line + '\n') for line in lines if line.strip())
        rows.append(f'    {{ {number},\n{text} }},')
    body = '\n'.join(rows)
    with open(out, 'w', encoding='utf-8') as file:
        file.write(f'/* Made by schemas/embed_sql.py; not edited by hand. */\n'
                   f'#include <stddef.h>\n'
                   f'#pragma GCC diagnostic ignored "-Woverlength-strings"\n#include "lib/db.h"\n'
                   f'extern const struct flt_migration {name}[];\nextern const size_t {name}_count;\n'
                   f'const struct flt_migration {name}[] = {{\n{body}\n}};\n'
                   f'const size_t {name}_count = {len(files)};\n')


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
