#define FLT_MOD "config"
#include "lib/config.h"
#include <errno.h>
#include <string.h>
#include <yaml.h>
#include "lib/json.h"

#define CONFIG_BYTES_MAX ((size_t)4 * 1024 * 1024)

struct reader {
    yaml_parser_t parser;
    const char *name;
    struct flt_error *error;
    unsigned depth;
};

static void refuse(struct reader *reader, yaml_mark_t mark, const char *why)
{
    (void)flt_error_set(reader->error, FLT_INVALID_ARGUMENT, NULL, NULL, "%s:%zu:%zu: %s",
                        reader->name, mark.line + 1, mark.column + 1, why);
}

/* The next event, deleted by the caller; false: said why. */
static bool next(struct reader *reader, yaml_event_t *event)
{
    const yaml_parser_t *const parser = &reader->parser;

    if (yaml_parser_parse(&reader->parser, event))
        return true;
    refuse(reader, parser->problem_mark, parser->problem ? parser->problem : "out of memory");
    return false;
}

/* -?(0|[1-9][0-9]*) within int64. */
static bool is_integer(const char *text, size_t length, int64_t *out)
{
    const bool negative = length > 0 && *text == '-';
    const char *const digits = text + negative;
    const size_t count = length - negative;
    int64_t value = 0;

    if (count == 0 || (count > 1 && *digits == '0'))
        return false;
    for (size_t i = 0; i < count; i++) {
        const int digit = digits[i] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    *out = value;
    return true;
}

static bool is_word(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

static bool memory(struct reader *reader, yaml_mark_t mark, const struct json_object *made)
{
    if (!made)
        refuse(reader, mark, "out of memory");
    return made != NULL;
}

static bool read_scalar(struct reader *reader, const yaml_event_t *event, struct json_object **out)
{
    const char *const text = (const char *)event->data.scalar.value;
    const size_t length = event->data.scalar.length;
    const bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    int64_t integer;

    *out = NULL;
    if (memchr(text, '\0', length)) {
        refuse(reader, event->start_mark, "a NUL character");
        return false;
    }
    if (plain && (length == 0 || is_word(text, length, "null")))
        return true;
    if (plain && (is_word(text, length, "true") || is_word(text, length, "false")))
        *out = json_object_new_boolean(*text == 't');
    else if (plain && is_integer(text, length, &integer))
        *out = json_object_new_int64(integer);
    else
        *out = json_object_new_string_len(text, (int)length);
    return memory(reader, event->start_mark, *out);
}

static bool read_node(struct reader *reader, const yaml_event_t *event, struct json_object **out);

static bool read_sequence(struct reader *reader, struct json_object *array)
{
    yaml_event_t event;
    bool ok = true;

    while (ok && (ok = next(reader, &event))) {
        struct json_object *item = NULL;
        const bool end = event.type == YAML_SEQUENCE_END_EVENT;

        ok = end || (read_node(reader, &event, &item) && (json_object_array_add(array, item) == 0 ||
                                                          memory(reader, event.start_mark, NULL)));
        yaml_event_delete(&event);
        if (end)
            break;
        if (!ok)
            json_object_put(item);
    }
    return ok;
}

/* The value of `key`, an event that the caller deletes. */
static bool read_member(struct reader *reader, const yaml_event_t *key, struct json_object *object)
{
    const char *const name = (const char *)key->data.scalar.value;
    struct json_object *value = NULL;
    yaml_event_t event;
    char why[128];

    if (key->type != YAML_SCALAR_EVENT || key->data.scalar.anchor || key->data.scalar.tag ||
        memchr(name, '\0', key->data.scalar.length)) {
        refuse(reader, key->start_mark, "a key must be a plain word");
        return false;
    }
    if (json_object_object_get_ex(object, name, NULL)) {
        (void)snprintf(why, sizeof why, "the key \"%.64s\" appears twice in one object", name);
        refuse(reader, key->start_mark, why);
        return false;
    }
    if (!next(reader, &event))
        return false;
    bool ok = read_node(reader, &event, &value);

    yaml_event_delete(&event);
    if (ok && json_object_object_add(object, name, value) != 0)
        ok = memory(reader, key->start_mark, NULL);
    if (!ok)
        json_object_put(value);
    return ok;
}

static bool read_mapping(struct reader *reader, struct json_object *object)
{
    yaml_event_t event;
    bool ok = true;

    while (ok && (ok = next(reader, &event))) {
        const bool end = event.type == YAML_MAPPING_END_EVENT;

        ok = end || read_member(reader, &event, object);
        yaml_event_delete(&event);
        if (end)
            break;
    }
    return ok;
}

static bool read_container(struct reader *reader, const yaml_event_t *event,
                           struct json_object **out)
{
    const bool mapping = event->type == YAML_MAPPING_START_EVENT;

    *out = NULL;
    if (reader->depth == FLT_JSON_DEPTH_MAX) {
        refuse(reader, event->start_mark, "nested too deep");
        return false;
    }
    struct json_object *const made = mapping ? json_object_new_object() : json_object_new_array();

    if (!memory(reader, event->start_mark, made))
        return false;
    reader->depth++;
    const bool ok = mapping ? read_mapping(reader, made) : read_sequence(reader, made);

    reader->depth--;
    if (ok)
        *out = made;
    else
        json_object_put(made);
    return ok;
}

/* An anchor or a tag; both make a file mean something else than it shows. */
static bool is_decorated(const yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT)
        return event->data.scalar.anchor || event->data.scalar.tag;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return event->data.sequence_start.anchor || event->data.sequence_start.tag;
    return event->type == YAML_MAPPING_START_EVENT &&
           (event->data.mapping_start.anchor || event->data.mapping_start.tag);
}

static bool read_node(struct reader *reader, const yaml_event_t *event, struct json_object **out)
{
    if (event->type == YAML_ALIAS_EVENT || is_decorated(event)) {
        refuse(reader, event->start_mark, "anchors, aliases and tags are not taken");
        return false;
    }
    if (event->type == YAML_SCALAR_EVENT)
        return read_scalar(reader, event, out);
    return read_container(reader, event, out);
}

/* Reads an event that must be of `type`. */
static bool expect(struct reader *reader, yaml_event_type_t type, const char *why)
{
    yaml_event_t event;

    if (!next(reader, &event))
        return false;
    const bool ok = event.type == type;

    if (!ok)
        refuse(reader, event.start_mark, why);
    yaml_event_delete(&event);
    return ok;
}

static bool read_document(struct reader *reader, struct json_object **out)
{
    yaml_event_t event;

    if (!expect(reader, YAML_STREAM_START_EVENT, "not YAML") ||
        !expect(reader, YAML_DOCUMENT_START_EVENT, "the file is empty") || !next(reader, &event))
        return false;
    bool ok = event.type == YAML_MAPPING_START_EVENT || event.type == YAML_SEQUENCE_START_EVENT;

    if (ok)
        ok = read_node(reader, &event, out);
    else
        refuse(reader, event.start_mark, "keys and values are expected (name: value)");
    yaml_event_delete(&event);
    return ok && expect(reader, YAML_DOCUMENT_END_EVENT, "something follows the document") &&
           expect(reader, YAML_STREAM_END_EVENT, "a second document begins; one is taken");
}

struct json_object *flt_config_parse_yaml(const char *text, size_t length, const char *name,
                                          struct flt_error *error)
{
    struct reader reader = { .name = name, .error = error };
    struct json_object *tree = NULL;

    if (length > CONFIG_BYTES_MAX) {
        refuse(&reader, (yaml_mark_t){ 0 }, "over 4 MiB");
        return NULL;
    }
    if (!yaml_parser_initialize(&reader.parser)) {
        refuse(&reader, (yaml_mark_t){ 0 }, "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
    if (!read_document(&reader, &tree)) {
        json_object_put(tree);
        tree = NULL;
    }
    yaml_parser_delete(&reader.parser);
    return tree;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

struct json_object *flt_config_load(const char *path, struct flt_error *error)
{
    size_t length = 0;
    char *const text = flt_file_read(path, CONFIG_BYTES_MAX, &length);

    if (!text) {
        const int reason = errno;

        (void)flt_error_set(error, flt_error_from_errno(reason), NULL, NULL, "cannot read %s: %s",
                            path, reason == EFBIG ? "over 4 MiB" : strerror(reason));
        return NULL;
    }
    struct json_object *const tree = ends_with(path, ".json")
                                         ? flt_json_parse_named(text, length, path, error)
                                         : flt_config_parse_yaml(text, length, path, error);

    free(text);
    return tree;
}
