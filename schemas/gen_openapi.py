"""Writes the REST gateway's OpenAPI file and its table of readable routes."""
import json

ANSWERS = {'400': 'An argument is wrong', '401': 'No login, or one the broker does not know',
           '403': 'The login may not ask this', '404': 'There is no such thing',
           '409': 'It does not fit what is', '429': 'Too many failed logins, or requests at once',
           '503': 'Broker, controller or node is away',
           '504': 'No answer came in time; of a verb that changes something the outcome is unknown'}


def named(path):
    return path.replace('/', '.')


def convert(value, path):
    """A schema of our files as OpenAPI 3.1 takes it: references inside one document."""
    if isinstance(value, list):
        return [convert(v, path) for v in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for key, item in value.items():
        if key.startswith('x-') or key in ('$schema', '$id'):
            continue
        if key == '$ref':
            file, _, word = item.partition('#/$defs/')
            base = path.rsplit('/', 1)[0].split('/') if '/' in path else []
            for part in file[:-len('.json')].split('/'):
                base = base[:-1] if part == '..' else base + [part]
            out['$ref'] = '#/components/schemas/' + named('/'.join(base)) + (
                '.' + word if word else '')
        else:
            out[key] = convert(item, path)
    return out


def components(contract):
    schemas = {}
    for path, schema in contract.files.items():
        if path == 'common':
            for word, one in schema['$defs'].items():
                schemas[f'common.{word}'] = convert(one, path)
        elif path not in ('topics', 'rest', 'examples') and not path.startswith(('req/', 'cmd/', 'config/')):
            schemas[named(path)] = convert(schema, path)
    for verb in contract.verbs:
        schema = contract.files[f"req/{verb['name']}"]
        for part in ('args', 'result'):
            schemas[f"req.{verb['name']}.{part}"] = convert(schema['properties'][part],
                                                            f"req/{verb['name']}")
    schemas['error'] = {
        'type': 'object', 'required': ['ok', 'error'],
        'properties': {'id': {'type': 'string'}, 'ok': {'const': False},
                       'error': {'type': 'object', 'required': ['code', 'message'], 'properties': {
                           'code': {'type': 'string', 'description':
                                    'As types.error has it, and `unknown`: sent, and not answered.'},
                           'message': {'type': 'string'}, 'hint': {'type': 'string'},
                           'field': {'type': 'string'}}}}}
    return schemas


def answers(result, example):
    content = {'schema': {'type': 'object', 'required': ['ok', 'result'], 'properties': {
        'id': {'type': 'string', 'description': 'Of the request; absent where no verb was asked.'},
        'ok': {'const': True}, 'result': result}}}
    if example is not None:
        content['example'] = {'ok': True, 'result': example}
    out = {'200': {'description': 'Done, or recorded', 'content': {'application/json': content}}}
    for status in ANSWERS:
        out[status] = {'$ref': f'#/components/responses/{status}'}
    return out


def operation(contract, verb, method, names, into, ident):
    schema = contract.files[f"req/{verb['name']}"]
    example = schema['examples'][0]
    args = schema['properties']['args']
    out = {'operationId': ident, 'tags': [verb['name'].split('-')[0]],
           'summary': verb['help'],
           'description': f"Verb `{verb['name']}`; role {verb['role']} or higher.",
           'responses': answers({'$ref': f"#/components/schemas/req.{verb['name']}.result"},
                                example['result'])}
    parameters = [{'name': name, 'in': 'path', 'required': True, 'schema': {'type': 'string'}}
                  for name in names]
    properties = dict(args.get('properties', {}))
    if method == 'get':
        if into:
            target = properties.pop(into)
            nested = contract.files[target['$ref'][len('../'):-len('.json')]]
            properties.update(nested['properties'])
        for name, one in properties.items():
            if name not in names and '#/$defs/' in one.get('$ref', '#/$defs/'):
                parameters.append({'name': name, 'in': 'query', 'schema':
                                   convert(one, f"req/{verb['name']}")})
    elif set(properties) - set(names):
        rest = {k: v for k, v in example['args'].items() if k not in names}
        body = ({'$ref': f"#/components/schemas/req.{verb['name']}.args"} if not names else
                convert({'type': 'object', 'properties': {k: v for k, v in properties.items()
                                                          if k not in names}},
                        f"req/{verb['name']}"))
        out['requestBody'] = {'required': bool(set(args.get('required', [])) - set(names)),
                              'content': {'application/json': {'schema': body, 'example': rest}}}
    if verb['mutates']:
        parameters.append({'$ref': '#/components/parameters/Idempotency-Key'})
    if parameters:
        out['parameters'] = parameters
    return out


PAGES = {'report': {'200': {'description': 'The page', 'content': {'text/html': {
    'schema': {'type': 'string'}}}}}}


def page(route, names):
    out = {'operationId': 'page-' + route['kind'], 'tags': ['pages'], 'summary': route['help'],
           'responses': PAGES.get(route['kind']) or
           {'200': {'description': 'Done', 'content': {'application/json': {
               'schema': {'type': 'object'}}}}}}
    parameters = [{'name': n, 'in': 'path', 'required': True, 'schema': {'type': 'string'}}
                  for n in names]
    if route['kind'] == 'report':
        parameters.append({'name': 'ticket', 'in': 'query', 'schema': {'type': 'string'}})
    if parameters:
        out['parameters'] = parameters
    if route['kind'] == 'openapi':
        out['security'] = []
    return out


def paths(contract):
    out, verbs = {}, {v['name']: v for v in contract.verbs}
    for route in contract.routes:
        names = [p[1:-1] for p in route['path'].split('/') if p.startswith('{')]
        method = route['method'].lower()
        if 'verb' in route:
            ident = method + '-' + route['path'].replace('/', '-').replace('{', '').replace('}', '')
            one = operation(contract, verbs[route['verb']], method, names, route.get('into'), ident)
        else:
            one = page(route, names)
        out.setdefault('/api/v1/' + route['path'], {})[method] = one
    for verb in contract.verbs:
        where = out.setdefault('/api/v1/' + verb['name'], {})
        if not verb['mutates']:
            where.setdefault('get', operation(contract, verb, 'get', [], None,
                                              'get-' + verb['name']))
        where.setdefault('post', operation(contract, verb, 'post', [], None, verb['name']))
    return out


def document(contract):
    root = {
        'openapi': '3.1.0',
        'info': {'title': 'Flotilla', 'version': '1',
                 'description': 'A thin way to the verbs of the fleet for programs that cannot speak'
                                ' MQTT. Every verb is POST /api/v1/<verb> with its arguments as the'
                                ' body; verbs that only read are GET too. The caller is signed in'
                                ' to the broker with the own name, which enforces the rights.'},
        'servers': [{'url': '/'}],
        'security': [{'token': []}, {'password': []}],
        'paths': paths(contract),
        'components': {
            'securitySchemes': {
                'token': {'type': 'http', 'scheme': 'bearer',
                          'description': 'From the verb token-add.'},
                'password': {'type': 'http', 'scheme': 'basic',
                             'description': "The user's broker login."}},
            'parameters': {'Idempotency-Key': {
                'name': 'Idempotency-Key', 'in': 'header',
                'description': 'The same key twice within a day is done once, and answered as the'
                               ' first was.',
                'schema': {'type': 'string', 'pattern': '^[A-Za-z0-9_-]{1,48}$'}}},
            'responses': {status: {'description': text, 'content': {'application/json': {
                'schema': {'$ref': '#/components/schemas/error'}}}}
                for status, text in ANSWERS.items()},
            'schemas': components(contract)}}
    return json.dumps(root, indent=1, ensure_ascii=False) + '\n'


def c_text(value):
    return 'NULL' if value is None else json.dumps(value)


def code(contract):
    rows = []
    for route in contract.routes:
        fixed = json.dumps(route['fixed'], separators=(',', ':')) if 'fixed' in route else None
        rows.append('    { ' + ', '.join([
            c_text(route['method']), c_text(route['path']), c_text(route.get('verb')),
            c_text(fixed), c_text(route.get('into')),
            'API_' + route.get('kind', 'verb').upper()]) + ' },')
    text = json.dumps(json.loads(document(contract)), separators=(',', ':'))
    lines = [text[i:i + 2000] for i in range(0, len(text), 2000)]
    return ('/* Made by schemas/gen.py from schemas/rest.json; not edited by hand. */\n'
            '#pragma GCC diagnostic ignored "-Woverlength-strings"\n'
            '#include "dashboard/api_route.h"\n#include "dashboard/openapi.h"\n'
            'const struct api_route api_routes[] = {\n' + '\n'.join(rows) + '\n};\n'
            'const size_t api_route_count = sizeof api_routes / sizeof api_routes[0];\n'
            'const char openapi_text[] =\n' + '\n'.join('    ' + json.dumps(l) for l in lines) +
            ';\nconst size_t openapi_size = sizeof openapi_text - 1;\n')
