#!/usr/bin/env python3
"""Makes code and documents from the contract: the *.json files of this folder.

  gen.py code DIR    writes schemas_msg.h and schemas_msg.c into DIR (meson runs this)
  gen.py docs        writes the committed documents: topics.md, asyncapi.yaml, docs/reference/*.md
                     and dashboard/web/src/gen/messages.ts
  gen.py rest OUT    writes the dashboard server's table of readable routes, and the OpenAPI file as
                     C (meson runs this)
  gen.py list        names the schema files
  gen.py check       says which of those are stale; exit status 1 if any is

Only the part of JSON Schema that the tables of msg.h can express is allowed; anything else in a
schema is an error here, so that no rule is written down that nobody enforces.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, HERE)
from gen_model import load_contract, schema_names  # noqa: E402
import gen_c  # noqa: E402
import gen_docs  # noqa: E402
import gen_guides  # noqa: E402
import gen_openapi  # noqa: E402
import gen_ts  # noqa: E402


def documents(contract):
    out = {
        'schemas/topics.md': gen_docs.topics_md(contract),
        'schemas/asyncapi.yaml': gen_docs.asyncapi(contract),
        'dashboard/web/src/gen/messages.ts': gen_ts.messages(contract),
        'docs/openapi.json': gen_openapi.document(contract),
        'docs/mqtt-api.md': gen_guides.mqtt(contract),
        'docs/rest-api.md': gen_guides.rest(contract),
    }
    out.update(gen_docs.reference(contract))
    return out


def read(path):
    try:
        with open(path, encoding='utf-8') as file:
            return file.read()
    except FileNotFoundError:
        return ''


def write(path, text):
    if read(path) == text:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def main(argv):
    if argv[1:] == ['list']:
        print('\n'.join(name + '.json' for name in schema_names(HERE)))
        return 0
    contract = load_contract(HERE)
    if argv[1:2] == ['code'] and len(argv) == 3:
        for name, text in gen_c.code(contract).items():
            write(os.path.join(argv[2], name), text)
            os.utime(os.path.join(argv[2], name))
        return 0
    if argv[1:2] == ['rest'] and len(argv) == 3:
        write(argv[2], gen_openapi.code(contract))
        os.utime(argv[2])
        return 0
    if argv[1:] == ['docs']:
        for name, text in documents(contract).items():
            write(os.path.join(ROOT, name), text)
        return 0
    if argv[1:] == ['check']:
        stale = [n for n, t in documents(contract).items() if read(os.path.join(ROOT, n)) != t]
        print('1..1')
        print('ok 1 - documents are as the schemas say' if not stale else
              'not ok 1 - stale, run schemas/gen.py docs: ' + ' '.join(stale))
        return 1 if stale else 0
    sys.stderr.write(__doc__)
    return 2


if __name__ == '__main__':
    try:
        sys.exit(main(sys.argv))
    except ValueError as why:
        sys.exit(f'gen.py: {why}')
