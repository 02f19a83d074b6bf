"""Writes topics.md, asyncapi.yaml and the reference pages."""
import json
from gen_model import INT_MAX, INT_MIN

NOTE = '<!-- Made by schemas/gen.py; change the schema and run `schemas/gen.py docs`. -->\n'


def cell(text):
    return str(text).replace('|', '\\|').replace('\n', ' ')


def anchor(title):
    return ''.join(c for c in title.lower().replace(' ', '-') if c.isalnum() or c in '-_')


PAGES = {'config': 'config.md', 'req': 'requests.md', 'cmd': 'commands.md'}


def page_of(made):
    return PAGES.get(made.path.split('/')[0], 'messages.md')


def link(made, page):
    there = page_of(made)
    return f'[{made.title}]({"" if there == page else there}#{anchor(made.title)})'


def describe_type(field, page):
    if field.kind in ('STRUCT', 'FLATTEN'):
        text = link(field.type, page)
    elif field.kind == 'ENUM':
        text = ', '.join(f'`{v}`' for v in field.enum.values)
    elif field.words:
        text = ', '.join(f'`{v}`' for v in field.words)
    elif field.kind == 'STR':
        text = field.format or f'text up to {field.size}'
    else:
        text = {'INT': 'integer', 'DOUBLE': 'number', 'BOOL': 'true or false', 'DEC': 'decimal',
                'AMT': 'amount', 'TEXT': 'text', 'OBJECT': 'object', 'LIST': 'list'}[field.kind]
    if field.kind == 'INT' and field.min != INT_MIN:
        text += f' from {field.min}' if field.max == INT_MAX else f' {field.min} to {field.max}'
    if field.number_min is not None:
        text += f' {field.number_min:g} to {field.number_max:g}'
    if field.sign:
        text += ' above 0' if field.sign == 'positive' else ' from 0'
    return f'list of {text}' if field.array else text


def table(made, page):
    if not list(made.flat):
        return 'Nothing.\n'
    out = ['| key | type | what |', '|---|---|---|']
    for field in made.fields:
        if field.kind == 'FLATTEN':
            out.append(f'| ... | {link(field.type, page)} | its keys stand here too |')
            continue
        key = f'`{field.name}`' + ('' if field.required else ' (optional)')
        out.append(f'| {key} | {cell(describe_type(field, page))} | {cell(field.help)} |')
    return '\n'.join(out) + '\n'


def sample(value):
    return '```json\n' + json.dumps(value, indent=1, ensure_ascii=False) + '\n```\n'


def section(made, page, level='##'):
    return f'{level} {made.title}\n\n{made.help}\n\n{table(made, page)}\n{sample(made.example)}\n'


def topics_md(contract):
    out = [NOTE, '# Topics\n', f'Root of all: `{contract.root}`. Source: `topics.json`; messages: '
           '`docs/reference/messages.md`.\n',
           '| topic | publisher | QoS, retained | message | who may read | what |', '|---|---|---|---|---|---|']
    for row in contract.topics:
        keep = f'{row["qos"]}, {"yes" if row["retained"] else "no"}'
        out.append(f'| `{row["topic"]}` | {row["publisher"]} | {keep} | `{row["message"]}` | '
                   f'{", ".join(row["readers"])} | {cell(row["help"])} |')
    return '\n'.join(out) + '\n'


def paired_page(title, intro, rows, page, facts):
    out = [NOTE, f'# {title}\n', intro, '']
    for row in rows:
        out += [f'## {row["name"]}\n', row['help'][0].upper() + row['help'][1:].rstrip('.') + '.\n', facts(row)]
        for part in ('args', 'result'):
            out += [f'### {row[part].title}\n', table(row[part], page), sample(row[part].example)]
    return '\n'.join(out)


def verb_facts(verb):
    what = 'Changes the fleet and is audited.' if verb['mutates'] else 'Only reads.'
    return f'Role: {verb["role"]}. {what}\n'


def reference(contract):
    messages = [t for t in contract.order if page_of(t) == 'messages.md']
    config = [t for t in contract.order if page_of(t) == 'config.md']
    intro = ('Published to `u/<user>/req/<verb>` as [u/request](messages.md#urequest); the answer is '
             '[u/response](messages.md#uresponse) on the MQTT 5 response topic when it lies under '
             '`u/<user>/res/`, else on `u/<user>/res/<id>`.\n')
    ops = 'Sent by the controller in [c/cmd](messages.md#ccmd), answered in [n/res](messages.md#nres).\n'
    return {
        'docs/reference/messages.md': NOTE + '\n# Messages\n\n' +
        ''.join(section(t, 'messages.md') for t in messages),
        'docs/reference/config.md': NOTE + '\n# Configuration files\n\nJSON or YAML; an unknown key is '
        'an error.\n\n' + ''.join(section(t, 'config.md') for t in config),
        'docs/reference/requests.md': paired_page('Requests', intro, contract.verbs, 'requests.md', verb_facts),
        'docs/reference/commands.md': paired_page('Commands to nodes', ops, contract.ops, 'commands.md',
                                                  lambda op: ''),
    }


def yaml(value, indent=0):
    """Enough YAML for asyncapi.yaml: nested maps and lists of scalars."""
    pad, out = '  ' * indent, []
    for key, item in value.items():
        if isinstance(item, dict):
            out.append(f'{pad}{key}:' if item else f'{pad}{key}: {{}}')
            if item:
                out.append(yaml(item, indent + 1))
        elif isinstance(item, list):
            out.append(f'{pad}{key}:')
            out += [f'{pad}- {json.dumps(i, ensure_ascii=False)}' if not isinstance(i, dict)
                    else f'{pad}- ' + yaml(i, 0).strip() for i in item]
        else:
            out.append(f'{pad}{key}: {json.dumps(item, ensure_ascii=False)}')
    return '\n'.join(out)


def asyncapi(contract):
    channels, operations, messages = {}, {}, {}
    for row in contract.topics:
        name, message = row['name'], row['type']
        channels[name] = {
            'address': contract.root.replace('<', '{').replace('>', '}') +
            row['topic'].replace('<', '{').replace('>', '}'),
            'description': row['help'],
            'messages': {message.name: {'$ref': f'#/components/messages/{message.name}'}},
            'parameters': {p: {'$ref': f'#/components/parameters/{p}'} for p in ['tenant'] + row['parts']},
            'bindings': {'mqtt': {}},
        }
        operations['publish_' + name] = {
            'action': 'send', 'channel': {'$ref': f'#/channels/{name}'},
            'description': f'by {row["publisher"]}; readers: {", ".join(row["readers"])}',
            'bindings': {'mqtt': {'qos': row['qos'], 'retain': row['retained'], 'bindingVersion': '0.2.0'}},
        }
        messages[message.name] = {'name': message.name, 'summary': message.help,
                                  'contentType': 'application/json',
                                  'payload': {'schemaFormat': 'application/schema+json;version=draft-2020-12',
                                              'schema': {'$ref': f'./{message.path}.json'}}}
    levels = sorted({p for row in contract.topics for p in row['parts']} | {'tenant'})
    document = {
        'asyncapi': '3.0.0',
        'info': {'title': 'Flotilla', 'version': '1', 'description': 'The bus of a Flotilla fleet. Made by schemas/gen.py.'},
        'defaultContentType': 'application/json',
        'channels': channels, 'operations': operations,
        'components': {'messages': messages,
                       'parameters': {p: {'description': f'one topic level: {p}'} for p in levels}},
    }
    return yaml(document) + '\n'
