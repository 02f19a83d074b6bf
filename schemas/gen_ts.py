"""Writes the TypeScript types of the dashboard."""
import json
from gen_model import camel, ident

TS_TYPE = {'INT': 'number', 'DOUBLE': 'number', 'BOOL': 'boolean', 'DEC': 'string', 'AMT': 'string',
           'TEXT': 'string', 'STR': 'string', 'OBJECT': 'Record<string, unknown>', 'LIST': 'unknown[]'}


def type_name(made):
    return camel(made.name)


def words(values):
    return ' | '.join(json.dumps(v) for v in values)


def field_type(field):
    if field.kind in ('STRUCT', 'FLATTEN'):
        text = type_name(field.type)
    elif field.kind == 'ENUM':
        text = camel(field.enum.name) + 'Word'
    elif field.words:
        text = words(field.words)
    else:
        text = TS_TYPE[field.kind]
    if field.array:
        return f'({text})[]' if '|' in text else text + '[]'
    return text


def interface(made):
    base = [type_name(f.type) for f in made.fields if f.kind == 'FLATTEN']
    lines = [f'/** {made.title}: {made.help} */' if made.help else f'/** {made.title} */']
    extends = f' extends {", ".join(base)}' if base else ''
    own = [f for f in made.fields if f.kind != 'FLATTEN']
    if not own and not base:
        return '\n'.join(lines + [f'export type {type_name(made)} = Record<string, never>;', ''])
    lines.append(f'export interface {type_name(made)}{extends} {{')
    for field in own:
        if field.help:
            lines.append(f'  /** {field.help} */')
        lines.append(f'  {field.name}{"" if field.required else "?"}: {field_type(field)};')
    return '\n'.join(lines + ['}', ''])


def topic_function(row):
    name = ident(row['name'])
    args = ''.join(f', {p}: string' for p in row['parts'])
    path = row['topic'].replace('<', '${').replace('>', '}')
    return (f'  /** {row["message"]} */\n'
            f'  {name}: (tenant: string{args}) => `flt/v1/${{tenant}}/{path}`,')


def messages(contract):
    out = ['// Made by schemas/gen.py from schemas/ (*.json); not edited by hand.', '']
    for enum in contract.enums.values():
        out.append(f'export type {camel(enum.name)}Word = {words(enum.values)};')
    out.append('')
    out += [interface(made) for made in contract.order]
    out.append('/** Arguments and result of each verb of u/<user>/req/<verb>. */')
    out.append('export interface Verbs {')
    for verb in contract.verbs:
        out.append(f'  /** {verb["help"]} */')
        out.append(f'  {json.dumps(verb["name"])}: {{ args: {type_name(verb["args"])}; '
                   f'result: {type_name(verb["result"])} }};')
    out += ['}', 'export type Verb = keyof Verbs;', '',
            '/** Which role a verb needs at least, and whether it changes anything. */',
            'export const verbs: Record<Verb, { role: RoleWord; mutates: boolean; help: string }> = {']
    for verb in contract.verbs:
        out.append(f'  {json.dumps(verb["name"])}: {{ role: {json.dumps(verb["role"])}, mutates: '
                   f'{"true" if verb["mutates"] else "false"}, help: {json.dumps(verb["help"])} }},')
    out += ['};', '', '/** Topics by name; any level may be "+" or "#" to make a filter. */',
            'export const topics = {']
    out += [topic_function(row) for row in contract.topics]
    out += ['};', '']
    return '\n'.join(out)
