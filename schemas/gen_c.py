"""Writes schemas_msg.h and schemas_msg.c."""
import json
from gen_model import ident, INT_MAX, INT_MIN

C_TYPE = {'INT': 'int64_t', 'DOUBLE': 'double', 'BOOL': 'bool', 'DEC': 'struct flt_dec',
          'AMT': 'struct flt_amt', 'TEXT': 'const char *', 'OBJECT': 'struct json_object *',
          'LIST': 'struct json_object *'}


def quote(text):
    return json.dumps(text, ensure_ascii=True) if text is not None else 'NULL'


def long_quote(text, indent='    '):
    """A long literal in pieces, so that lines stay readable."""
    pieces = [text[i:i + 1000] for i in range(0, len(text), 1000)] or ['']
    return ('\n' + indent).join(json.dumps(p, ensure_ascii=True) for p in pieces)


def enum_type(enum):
    return 'enum ' + (enum.name if enum.given else 'msg_' + enum.name)


def declare_enum(enum):
    prefix = 'MSG_' + enum.name.upper() + '_'
    words = ',\n'.join('    ' + prefix + ident(v).upper() for v in enum.values)
    return (f'enum msg_{enum.name} {{\n{words}\n}};\n'
            f'extern const struct msg_enum msg_enum_{enum.name};\n'
            f'static inline const char *msg_{enum.name}_name(enum msg_{enum.name} value)\n{{\n'
            f'    return msg_enum_name(&msg_enum_{enum.name}, (unsigned)value);\n}}\n')


def declare_member(field):
    name, lines = field.member, []
    if field.kind in ('STRUCT', 'FLATTEN'):
        base = f'struct msg_{field.type.name} '
    elif field.kind == 'ENUM':
        base = enum_type(field.enum) + ' '
    elif field.kind == 'STR':
        base = None
    else:
        base = C_TYPE[field.kind] + ('' if C_TYPE[field.kind].endswith('*') else ' ')
    if not field.required:
        lines.append(f'    bool has_{name};')
    if base is None:
        length = field.size + 1
        lines.append(f'    char (*{name})[{length}];' if field.array else f'    char {name}[{length}];')
    else:
        lines.append(f'    {base}*{name};' if field.array else f'    {base}{name};')
    if field.array:
        lines.append(f'    size_t {name}_count;')
    return lines


def declare_type(made):
    name = made.name
    lines = [f'/* {made.title}: {made.help} */'] if made.help else [f'/* {made.title} */']
    lines += [f'struct msg_{name} {{']
    for field in made.fields:
        lines += declare_member(field)
    if not made.fields:
        lines.append('    char nothing;')
    lines += ['};', f'extern const struct msg_type msg_type_{name};']
    lines.append(f'''FLT_MUST_USE static inline int msg_{name}_decode(struct json_object *tree, enum msg_strict how,
    struct msg_{name} *out, struct flt_error *error)
{{
    return msg_decode(&msg_type_{name}, tree, how, out, error);
}}
static inline void msg_{name}_encode(struct flt_buf *buf, const struct msg_{name} *in)
{{
    msg_encode(&msg_type_{name}, buf, NULL, in);
}}
static inline void msg_{name}_finish(struct msg_{name} *out)
{{
    msg_finish(&msg_type_{name}, out);
}}
''')
    return '\n'.join(lines)


def parts_of(contract):
    return sorted({p for row in contract.topics for p in row['parts']})


def declare_topics(contract):
    lines = ['enum topic_id {'] + [f'    TOPIC_{row["name"].upper()},' for row in contract.topics]
    lines += ['    TOPIC_COUNT', '};', 'extern const struct topic_row topic_rows[TOPIC_COUNT];', '',
              '/* The levels of a topic by name; those it does not have are "". */',
              'struct topic_ref {', '    enum topic_id id;', '    char tenant[TOPIC_LEVEL_MAX];']
    lines += [f'    char {p}[TOPIC_LEVEL_MAX];' for p in parts_of(contract)]
    lines += ['};', '/* False: not a topic of ours. */',
              'bool topic_parse(const char *topic, struct topic_ref *out);', '']
    for row in contract.topics:
        args = ''.join(f', const char *{p}' for p in row['parts'])
        values = ', '.join(row['parts']) or 'NULL'
        lines.append(f'''/* {row["topic"]} */
static inline char *topic_{row["name"]}(char *out, const char *tenant{args})
{{
    const char *const parts[] = {{ {values} }};
    return topic_format(out, &topic_rows[TOPIC_{row["name"].upper()}], tenant, parts);
}}''')
    return '\n'.join(lines) + '\n'


def header(contract):
    out = ['/* Made by schemas/gen.py from schemas/ (*.json); not edited by hand. */', '#pragma once',
           '#include "schemas/msg.h"', '']
    for enum in contract.enums.values():
        out.append(declare_enum(enum) if not enum.given else
                   f'extern const struct msg_enum msg_enum_{enum.name}; /* words of lib/market.h */\n')
    out += [declare_type(made) for made in contract.order]
    out.append(declare_topics(contract))
    out.append('''/* --- verbs of users and commands of nodes --- */
struct msg_verb {
    const char *name; /* last level of u/<user>/req/<verb> */
    enum msg_role role; /* the least that may use it */
    bool mutates;
    const char *help;
    const struct msg_type *args, *result;
};
extern const struct msg_verb msg_verbs[];
extern const size_t msg_verb_count;
const struct msg_verb *msg_verb_find(const char *name); /* NULL: no such verb */

struct msg_op {
    const char *name; /* `op` of c/<node>/cmd */
    const char *help;
    const struct msg_type *args, *result;
};
extern const struct msg_op msg_ops[];
extern const size_t msg_op_count;
const struct msg_op *msg_op_find(const char *name);
''')
    return '\n'.join(out)


def number(value, fallback):
    return fallback if value is None else repr(float(value))


def integer(value):
    return {INT_MIN: 'INT64_MIN', INT_MAX: 'INT64_MAX'}.get(value, f'INT64_C({value})')


def define_field(made, field):
    struct = f'struct msg_{made.name}'
    member = f'((struct msg_{made.name} *)0)->{field.member}'
    rows = [f'.name = {quote(field.name)}', f'.kind = MSG_KIND_{field.kind}',
            f'.offset = offsetof({struct}, {field.member})',
            f'.size = sizeof({"*" if field.array else ""}{member})']
    if field.required:
        rows.append('.required = true')
    rows.append('.has_offset = ' + ('MSG_NONE' if field.required else
                                    f'offsetof({struct}, has_{field.member})'))
    rows.append('.count_offset = ' + (f'offsetof({struct}, {field.member}_count)' if field.array
                                      else 'MSG_NONE'))
    if field.array:
        rows += ['.array = true', f'.items_max = {field.items_max}']
    if field.kind == 'STR':
        rows.append(f'.format = MSG_FORMAT_{(field.format or "any").upper()}')
    if field.sign:
        rows.append('.sign = MSG_SIGN_' + field.sign.replace('-', '_').upper())
    rows += [f'.min = {integer(field.min)}', f'.max = {integer(field.max)}']
    if field.kind == 'DOUBLE':
        rows += [f'.number_min = {number(field.number_min, "-HUGE_VAL")}',
                 f'.number_max = {number(field.number_max, "HUGE_VAL")}']
    if field.enum:
        rows.append(f'.choices = &msg_enum_{field.enum.name}')
    if field.type:
        rows.append(f'.type = &msg_type_{field.type.name}')
    rows.append(f'.help = {quote(field.help)}')
    return '    { ' + ', '.join(rows) + ' },'


def define_type(made):
    lines = []
    if made.fields:
        lines.append(f'static const struct msg_field fields_{made.name}[] = {{')
        lines += [define_field(made, f) for f in made.fields] + ['};']
    example = json.dumps(made.example, separators=(',', ':'), ensure_ascii=False)
    fields = f'fields_{made.name}, {len(made.fields)}' if made.fields else 'NULL, 0'
    lines.append(f'const struct msg_type msg_type_{made.name} = {{ {quote(made.title)}, '
                 f'{quote(made.help)},\n    {long_quote(example)},\n    sizeof(struct msg_{made.name}), '
                 f'{fields}, {quote(made.variant)} }};\n')
    return '\n'.join(lines)


def source(contract):
    out = ['/* Made by schemas/gen.py from schemas/ (*.json); not edited by hand. */',
           '#pragma GCC diagnostic ignored "-Woverlength-strings"', '#include <math.h>', '#include <stddef.h>', '#include "schemas/schemas_msg.h"', '']
    for enum in contract.enums.values():
        words = ', '.join(quote(v) for v in enum.values)
        out.append(f'static const char *const words_{enum.name}[] = {{ {words} }};\n'
                   f'const struct msg_enum msg_enum_{enum.name} = {{ words_{enum.name}, {len(enum.values)} }};')
    out += [define_type(made) for made in contract.order]
    out += ['const struct msg_type *const msg_types[] = {']
    out += [f'    &msg_type_{made.name},' for made in contract.order]
    out += ['};', f'const size_t msg_type_count = {len(contract.order)};', '',
            'const struct topic_row topic_rows[TOPIC_COUNT] = {']
    for row in contract.topics:
        parts = [f'offsetof(struct topic_ref, {p})' for p in row['parts']]
        parts += ['MSG_NONE'] * (4 - len(parts))
        out.append(f'    {{ {quote(row["name"])}, {quote(row["topic"])}, {row["qos"]}, '
                   f'{"true" if row["retained"] else "false"}, &msg_type_{row["type"].name},\n'
                   f'      {{ {", ".join(parts)} }}, {quote(row["help"])} }},')
    out += ['};', '', 'const struct msg_verb msg_verbs[] = {']
    for verb in contract.verbs:
        out.append(f'    {{ {quote(verb["name"])}, MSG_ROLE_{verb["role"].upper()}, '
                   f'{"true" if verb["mutates"] else "false"}, {quote(verb["help"])},\n'
                   f'      &msg_type_{verb["args"].name}, &msg_type_{verb["result"].name} }},')
    out += ['};', f'const size_t msg_verb_count = {len(contract.verbs)};', '',
            'const struct msg_op msg_ops[] = {']
    for op in contract.ops:
        out.append(f'    {{ {quote(op["name"])}, {quote(op["help"])},\n'
                   f'      &msg_type_{op["args"].name}, &msg_type_{op["result"].name} }},')
    out += ['};', f'const size_t msg_op_count = {len(contract.ops)};', '']
    return '\n'.join(out)


def code(contract):
    return {'schemas_msg.h': header(contract), 'schemas_msg.c': source(contract)}
