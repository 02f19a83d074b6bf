"""Reads the schema files into plain objects that the writers (gen_c, gen_docs, gen_ts) walk."""
import json
import os
import re

C_WORDS = {'default', 'register', 'switch', 'case', 'for', 'if', 'else', 'int', 'long', 'short',
           'double', 'float', 'char', 'static', 'struct', 'union', 'enum', 'void', 'signed', 'const',
           'unsigned', 'goto', 'return', 'break', 'continue', 'do', 'while', 'auto', 'extern'}
OBJECT_KEYS = {'$schema', '$id', '$ref', 'title', 'description', 'type', 'allOf', 'properties',
               'required', 'unevaluatedProperties', 'examples', 'x-variant', 'x-role', 'x-mutates'}
VALUE_KEYS = {'description', 'type', 'format', 'pattern', 'minLength', 'maxLength', 'minimum',
              'maximum', 'enum', 'items', 'maxItems', 'additionalProperties', 'x-sign', 'x-c-enum',
              'x-c-plain', '$ref'}
FORMATS = ('name', 'level', 'ulid', 'instrument', 'hex', 'decimal', 'amount')
ROLES = ('viewer', 'trader', 'admin')
INT_MIN, INT_MAX = -2**63, 2**63 - 1


def ident(text):
    return re.sub(r'[^a-z0-9]+', '_', text.lower())


def camel(text):
    return ''.join(word.capitalize() for word in re.split(r'[^A-Za-z0-9]+', text))


class Enum:
    """Words with a C enum; `given` when lib/market.h has it already."""

    def __init__(self, name, values, given):
        self.name, self.values, self.given = name, values, given


class Field:
    def __init__(self, name, required):
        self.name, self.required = name, required
        self.member = name + '_' if name in C_WORDS else name
        self.kind, self.array, self.help = None, False, ''
        self.size = self.format = self.sign = self.enum = self.type = None
        self.words = None  # of a plain string that lists its words
        self.min, self.max = INT_MIN, INT_MAX
        self.number_min, self.number_max = None, None
        self.items_max = 0


class Type:
    """One struct: a message, a part of one, or the args or result of a verb."""

    def __init__(self, name, title):
        self.name, self.title = name, title  # "bot_ls_args", "req/bot-ls args"
        self.help, self.example, self.fields, self.variant = '', None, [], None
        self.path = None

    @property
    def flat(self):
        """Its fields as they stand on the wire."""
        for field in self.fields:
            if field.kind == 'FLATTEN':
                yield from field.type.flat
            else:
                yield field


class Contract:
    def __init__(self):
        self.enums, self.types, self.verbs, self.ops, self.topics = {}, {}, [], [], []
        self.root, self.order, self.common, self.files, self.routes = '', [], {}, {}, []
        self.examples = []


class Loader:
    def __init__(self, folder):
        self.folder, self.contract, self.files, self.busy = folder, Contract(), {}, set()
        self.contract.common = self.file('common')['$defs']

    def file(self, path):
        if path not in self.files:
            with open(os.path.join(self.folder, path + '.json'), encoding='utf-8') as file:
                self.files[path] = json.load(file)
        return self.files[path]

    def type_of(self, path):
        """The Type of a whole file, made on first use; parts come before what uses them."""
        name = ident(re.sub(r'^types/', '', path))
        if name in self.contract.types:
            return self.contract.types[name]
        if path in self.busy:
            raise ValueError(f'{path} contains itself')
        self.busy.add(path)
        schema = self.file(path)
        made = self.build(name, path, path, schema, (schema.get('examples') or [None])[0])
        self.busy.discard(path)
        return made

    def build(self, name, title, path, schema, example):
        unknown = set(schema) - OBJECT_KEYS
        if unknown:
            raise ValueError(f'{path}: cannot express {sorted(unknown)}')
        made = Type(name, title)
        made.path, made.help = path, schema.get('description', '')
        made.example, made.variant = example, schema.get('x-variant')
        for part in schema.get('allOf', []):
            other = self.type_of(self.target(path, part['$ref']))
            field = Field('env' if other.name == 'envelope' else other.name, True)
            field.kind, field.type = 'FLATTEN', other
            made.fields.append(field)
        for key, value in schema.get('properties', {}).items():
            made.fields.append(self.field(made, path, key, value, key in schema.get('required', [])))
        missing = set(schema.get('required', [])) - set(schema.get('properties', {}))
        if missing:
            raise ValueError(f'{path}: required but not described: {sorted(missing)}')
        self.contract.types[name] = made
        self.contract.order.append(made)
        return made

    @staticmethod
    def target(path, ref):
        return os.path.normpath(os.path.join(os.path.dirname(path), ref[:-len('.json')]))

    def field(self, owner, path, key, schema, required):
        field = Field(key, required)
        self.describe(field, owner, path, schema)
        return field

    def describe(self, field, owner, path, schema):
        unknown = set(schema) - VALUE_KEYS
        if unknown:
            raise ValueError(f'{path}: {field.name}: cannot express {sorted(unknown)}')
        field.help = field.help or schema.get('description', '')
        ref = schema.get('$ref')
        if ref and '#/$defs/' in ref:
            word = ref.split('#/$defs/')[1]
            both = dict(self.contract.common[word])
            both.update({k: v for k, v in schema.items() if k != '$ref'})
            field.help = field.help or both['description']
            if 'enum' in both:
                self.use_enum(field, both.get('x-c-enum') or word, both['enum'], 'x-c-enum' in both)
            else:
                self.scalar(field, owner, path, both)
        elif ref:
            field.kind, field.type = 'STRUCT', self.type_of(self.target(path, ref))
            field.help = field.help or field.type.help
        elif schema['type'] == 'array' and schema['items'] is not True:
            field.array, field.items_max = True, schema.get('maxItems', 0)
            self.describe(field, owner, path, schema['items'])
        else:
            self.scalar(field, owner, path, schema)

    def use_enum(self, field, name, values, given):
        field.kind = 'ENUM'
        field.enum = self.contract.enums.setdefault(name, Enum(name, values, given))
        if field.enum.values != values:
            raise ValueError(f'enum {name} has two meanings')

    def scalar(self, field, owner, path, schema):
        kind = schema['type']
        field.format = schema.get('format')
        if field.format and field.format not in FORMATS:
            raise ValueError(f'{path}: {field.name}: unknown format {field.format}')
        if schema.get('pattern') and not field.format:
            raise ValueError(f'{path}: {field.name}: a pattern needs a format')
        field.sign = schema.get('x-sign')
        if kind == 'string' and field.format in ('decimal', 'amount'):
            field.kind = {'decimal': 'DEC', 'amount': 'AMT'}[field.format]
        elif kind == 'string' and 'enum' in schema and not schema.get('x-c-plain'):
            self.use_enum(field, f'{owner.name}_{ident(field.name)}', schema['enum'], False)
        elif kind == 'string':
            field.words = schema.get('enum')
            field.size = schema.get('maxLength')
            field.kind = 'STR' if field.size else 'TEXT'
            field.min = schema.get('minLength', 0)
        elif kind == 'integer':
            field.kind = 'INT'
            field.min, field.max = schema.get('minimum', INT_MIN), schema.get('maximum', INT_MAX)
        elif kind == 'number':
            field.kind = 'DOUBLE'
            field.number_min, field.number_max = schema.get('minimum'), schema.get('maximum')
        else:
            field.kind = {'boolean': 'BOOL', 'object': 'OBJECT', 'array': 'LIST'}[kind]

    def pair(self, path):
        """args and result of a verb or a node's command."""
        schema, name = self.file(path), path.split('/')[1]
        prefix = ident(name if path.startswith('req/') else 'cmd_' + name)
        example = schema['examples'][0]
        return [self.build(f'{prefix}_{part}', f'{path} {part}', path, schema['properties'][part],
                           example[part]) for part in ('args', 'result')]


def load_topics(loader):
    table = loader.file('topics')
    loader.contract.root = table['root']
    for row in table['topics']:
        message = loader.type_of(row['message'])
        row = dict(row, type=message, parts=re.findall(r'<([a-z]+)>', row['topic']),
                   help=message.help)
        loader.contract.topics.append(row)


def schema_names(folder):
    """All schema files without their ending, sorted; sql/ holds none."""
    names = []
    for base, _, files in os.walk(folder):
        under = os.path.relpath(base, folder)
        names += [os.path.normpath(os.path.join(under, f[:-5])) for f in files if f.endswith('.json')]
    return sorted(names)


def load_contract(folder):
    loader = Loader(folder)
    contract = loader.contract
    for word, schema in contract.common.items():
        if 'enum' in schema:
            given = 'x-c-enum' in schema
            name = schema.get('x-c-enum', word)
            contract.enums[name] = Enum(name, schema['enum'], given)
    for path in schema_names(folder):
        if path in ('common', 'topics', 'rest', 'examples'):
            continue
        if path.startswith('req/'):
            schema = loader.file(path)
            if schema['x-role'] not in ROLES:
                raise ValueError(f'{path}: role {schema["x-role"]}')
            args, result = loader.pair(path)
            contract.verbs.append({'name': path[4:], 'role': schema['x-role'],
                                   'mutates': schema['x-mutates'], 'help': schema['description'],
                                   'args': args, 'result': result})
        elif path.startswith('cmd/'):
            args, result = loader.pair(path)
            contract.ops.append({'name': path[4:], 'help': loader.file(path)['description'],
                                 'args': args, 'result': result})
        else:
            loader.type_of(path)
    load_topics(loader)
    contract.files, contract.routes = loader.files, loader.file('rest')['routes']
    contract.examples = loader.file('examples')['examples']
    ops = contract.enums['c_cmd_op'].values
    if sorted(ops) != sorted(op['name'] for op in contract.ops):
        raise ValueError('c/cmd lists other ops than cmd/ has files')
    return contract
