#include "strategies/params.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAVED_MAX                                                                                  \
    (INT64_C(1) << 53) /* no count or time of a state is beyond; sums cannot overflow */
#define FIELDS_MAX 64  /* rows a table may have, for the list of known names */

static size_t value_size(enum field_type type)
{
    switch (type) {
    case FIELD_DOUBLE:
        return sizeof(double);
    case FIELD_DEC:
        return sizeof(struct flt_dec);
    case FIELD_BOOL:
        return sizeof(bool);
    case FIELD_INT:
    case FIELD_ENUM:
    case FIELD_DURATION:
        break;
    }
    return sizeof(int64_t);
}

static size_t value_count(const struct field *field)
{
    return field->count > 1 ? field->count : 1;
}

static char *value_at(void *values, const struct field *field, size_t index)
{
    return (char *)values + field->offset + index * value_size(field->type);
}

const struct field *params_find(const struct field *fields, const char *name)
{
    for (const struct field *field = fields; field->name; field++)
        if (!strcmp(field->name, name))
            return field;
    return NULL;
}

/* "90", "30s", "5m", "1h", "2d" in ms (bare digits are ms); false: not a duration. */
static bool parse_duration(const char *text, int64_t *out)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = { { "", 1 },        { "ms", 1 },       { "s", 1000 },     { "m", 60000 },
                  { "h", 3600000 }, { "d", 86400000 }, { "w", 604800000 } };
    char *end;

    errno = 0;
    const long long count = strtoll(text, &end, 10);
    if (end == text || errno)
        return false;
    for (size_t i = 0; i < FLT_COUNT(units); i++)
        if (!strcmp(end, units[i].unit))
            return !__builtin_mul_overflow((int64_t)count, units[i].ms, out);
    return false;
}

static bool parse_integer(const char *text, int64_t *out)
{
    char *end;

    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno)
        return false;
    *out = value;
    return true;
}

static bool parse_choice(const struct field *field, const char *text, int64_t *out)
{
    for (int64_t i = 0; field->choices[i]; i++)
        if (!strcmp(field->choices[i], text)) {
            *out = i;
            return true;
        }
    return false;
}

static bool parse_double(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && !*end && isfinite(*out);
}

/* One value from its text; false: not of this type. */
static bool parse_text(const struct field *field, const char *text, char *out)
{
    struct flt_dec dec;
    int64_t integer = 0;
    double real = 0;
    bool ok = false;

    switch (field->type) {
    case FIELD_INT:
        ok = parse_integer(text, &integer);
        break;
    case FIELD_DURATION:
        ok = parse_duration(text, &integer);
        break;
    case FIELD_ENUM:
        ok = parse_choice(field, text, &integer);
        break;
    case FIELD_DOUBLE:
        ok = parse_double(text, &real);
        memcpy(out, &real, sizeof real);
        return ok;
    case FIELD_DEC:
        dec = flt_dec_parse(text);
        memcpy(out, &dec, sizeof dec);
        return flt_dec_ok(dec);
    case FIELD_BOOL:
        *(bool *)(void *)out = !strcmp(text, "true");
        return !strcmp(text, "true") || !strcmp(text, "false");
    }
    memcpy(out, &integer, sizeof integer);
    return ok;
}

static struct flt_dec load_dec(const char *value)
{
    struct flt_dec dec;

    memcpy(&dec, value, sizeof dec);
    return dec;
}

static int64_t load_int(const char *value)
{
    int64_t integer;

    memcpy(&integer, value, sizeof integer);
    return integer;
}

static double load_double(const char *value)
{
    double real;

    memcpy(&real, value, sizeof real);
    return real;
}

/* -1, 0, 1: the value against a bound's text. */
static int compare_bound(const struct field *field, const char *value, const char *bound)
{
    struct flt_dec storage = FLT_DEC_ZERO; /* the largest of the types */
    const bool ok = parse_text(field, bound, (char *)&storage);
    assert(ok); /* a table's own text */
    if (!ok)
        return 0;
    if (field->type == FIELD_DEC)
        return flt_dec_cmp(load_dec(value), load_dec((const char *)&storage));
    if (field->type == FIELD_DOUBLE) {
        const double a = load_double(value), b = load_double((const char *)&storage);
        return a < b ? -1 : a > b;
    }
    const int64_t a = load_int(value), b = load_int((const char *)&storage);
    return a < b ? -1 : a > b;
}

static bool is_number_type(enum field_type type)
{
    return type != FIELD_BOOL && type != FIELD_ENUM;
}

static int check_range(const struct field *field, const char *value, struct flt_error *error)
{
    if (!is_number_type(field->type))
        return 0;
    if (field->min && compare_bound(field, value, field->min) < 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, field->name, field->help,
                             "%s must be at least %s", field->name, field->min);
    if (field->max && compare_bound(field, value, field->max) > 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, field->name, field->help,
                             "%s must be at most %s", field->name, field->max);
    return 0;
}

static const char *type_word(const struct field *field)
{
    static const char *const words[] = {
        [FIELD_INT] = "a whole number",
        [FIELD_DOUBLE] = "a number",
        [FIELD_DEC] = "a decimal number",
        [FIELD_BOOL] = "true or false",
        [FIELD_ENUM] = "one of its choices",
        [FIELD_DURATION] = "a duration in ms, or text such as \"30s\", \"5m\", \"1h\"",
    };

    return words[field->type];
}

static int wrong_type(const struct field *field, const char *text, struct flt_error *error)
{
    char hint[160] = "";
    size_t used = 0, count = 0;

    if (field->type == FIELD_ENUM) {
        while (field->choices[count])
            count++;
        const char *near = flt_nearest(text, field->choices, count);
        used = near ? (size_t)snprintf(hint, sizeof hint, "did you mean \"%s\"? ", near) : 0;
        used += (size_t)snprintf(hint + used, sizeof hint - used, "choices:");
        for (size_t i = 0; i < count && used < sizeof hint; i++)
            used += (size_t)snprintf(hint + used, sizeof hint - used, " %s", field->choices[i]);
    }
    return flt_error_set(error, FLT_INVALID_ARGUMENT, field->name, *hint ? hint : field->help,
                         "%s must be %s, not %.60s", field->name, type_word(field), text);
}

static int parse_value(const struct field *field, struct json_object *json, char *out,
                       struct flt_error *error)
{
    const enum json_type type = json_object_get_type(json);
    const bool scalar = type == json_type_string || type == json_type_int ||
                        type == json_type_double || type == json_type_boolean;
    const char *text = json_object_get_string(json); /* numbers: the digits as they were sent */
    const bool bool_ok = (type == json_type_boolean) == (field->type == FIELD_BOOL);

    if (!scalar || !bool_ok || !parse_text(field, text, out))
        return wrong_type(field, text ? text : "null", error);
    return check_range(field, out, error);
}

static int parse_field(const struct field *field, struct json_object *json, void *values,
                       struct flt_error *error)
{
    const size_t room = value_count(field);

    if (room == 1 || !json_object_is_type(json, json_type_array))
        return parse_value(field, json, value_at(values, field, 0), error);
    const size_t count = json_object_array_length(json);
    if (count > room || count == 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, field->name, field->help,
                             "%s takes 1 to %zu values, not %zu", field->name, room, count);
    for (size_t i = 0; i < count; i++) {
        const int err = parse_value(field, json_object_array_get_idx(json, i),
                                    value_at(values, field, i), error);
        if (err)
            return err;
    }
    return 0;
}

static int refuse_unknown(const struct field *fields, struct json_object *object,
                          struct flt_error *error)
{
    const char *names[FIELDS_MAX];
    char hint[96] = "";
    size_t count = 0;

    for (const struct field *field = fields; field->name && count < FIELDS_MAX; field++)
        names[count++] = field->name;
    json_object_object_foreach(object, key, value)
    {
        (void)value;
        if (params_find(fields, key))
            continue;
        const char *near = flt_nearest(key, names, count);
        if (near)
            (void)snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
        return flt_error_set(error, FLT_INVALID_ARGUMENT, key, hint, "unknown key \"%.60s\"", key);
    }
    return 0;
}

static int set_default(const struct field *field, void *values)
{
    const bool ok = parse_text(field, field->def, value_at(values, field, 0));

    assert(ok); /* a table's own text */
    return ok ? 0 : -EINVAL;
}

int params_parse(const struct field *fields, struct json_object *object, void *out, size_t out_size,
                 struct flt_error *error)
{
    int err = 0;

    memset(out, 0, out_size);
    if (object && !json_object_is_type(object, json_type_object))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "", "", "parameters must be an object");
    if (object && (err = refuse_unknown(fields, object, error)))
        return err;
    for (const struct field *field = fields; field->name && !err; field++) {
        struct json_object *json = NULL;

        if (object && json_object_object_get_ex(object, field->name, &json) && json)
            err = parse_field(field, json, out, error);
        else if (field->def)
            err = set_default(field, out);
        else
            err = flt_error_set(error, FLT_INVALID_ARGUMENT, field->name, field->help,
                                "%s is required", field->name);
    }
    return err;
}

int params_update(const struct field *fields, struct json_object *object, const void *now,
                  void *out, size_t out_size, struct flt_error *error)
{
    const int err = params_parse(fields, object, out, out_size, error);

    if (err)
        return err;
    for (const struct field *field = fields; field->name; field++) {
        const size_t bytes = value_count(field) * value_size(field->type);
        const char *before = (const char *)now + field->offset;

        if (!field->hot && memcmp(before, (const char *)out + field->offset, bytes)) {
            flt_error_set(error, FLT_CONFLICT, field->name, "stop the bot and start it again",
                          "%s cannot change while the bot runs", field->name);
            return -EBUSY;
        }
    }
    return 0;
}

/* --- out ----------------------------------------------------------------------------------------
 */

static bool is_zero(const struct field *field, const char *value)
{
    if (field->type == FIELD_DEC)
        return load_dec(value).coef == 0;
    if (field->type == FIELD_DOUBLE)
        return load_double(value) == 0;
    if (field->type == FIELD_BOOL)
        return !*(const bool *)(const void *)value;
    return load_int(value) == 0;
}

static void write_value(const struct field *field, const char *value, struct flt_buf *buf,
                        const char *key)
{
    switch (field->type) {
    case FIELD_DOUBLE:
        if (isfinite(load_double(value)))
            flt_jw_double(buf, key, load_double(value));
        else
            flt_jw_null(buf, key); /* "none yet" in a state; read back as zero */
        break;
    case FIELD_DEC:
        flt_jw_dec(buf, key, load_dec(value));
        break;
    case FIELD_BOOL:
        flt_jw_bool(buf, key, *(const bool *)(const void *)value);
        break;
    case FIELD_ENUM:
        flt_jw_str(buf, key, field->choices[load_int(value)]);
        break;
    case FIELD_INT:
    case FIELD_DURATION:
        flt_jw_int(buf, key, load_int(value));
        break;
    }
}

void params_write(const struct field *fields, const void *values, struct flt_buf *buf,
                  const char *key)
{
    flt_jw_begin(buf, key, '{');
    for (const struct field *field = fields; field->name; field++) {
        const char *base = (const char *)values + field->offset;
        const size_t size = value_size(field->type);
        size_t count = value_count(field);

        if (count == 1) {
            write_value(field, base, buf, field->name);
            continue;
        }
        while (count > 0 && is_zero(field, base + (count - 1) * size))
            count--;
        flt_jw_begin(buf, field->name, '[');
        for (size_t i = 0; i < count; i++)
            write_value(field, base + i * size, buf, NULL);
        flt_jw_end(buf, ']');
    }
    flt_jw_end(buf, '}');
}

static int read_field(const struct field *field, struct json_object *json, void *out)
{
    const size_t room = value_count(field);
    const size_t count =
        json_object_is_type(json, json_type_array) ? json_object_array_length(json) : 1;

    if (count > room)
        return -EINVAL;
    for (size_t i = 0; i < count; i++) {
        struct json_object *item =
            json_object_is_type(json, json_type_array) ? json_object_array_get_idx(json, i) : json;

        char *value = value_at(out, field, i);

        if (item && !parse_text(field, json_object_get_string(item), value))
            return -EINVAL;
        if (field->type == FIELD_INT && llabs(load_int(value)) > SAVED_MAX)
            return -EINVAL;
    }
    return 0;
}

int params_read(const struct field *fields, struct json_object *object, void *out, size_t out_size,
                struct flt_error *error)
{
    memset(out, 0, out_size);
    for (const struct field *field = fields; field->name; field++) {
        struct json_object *json = NULL;

        if (field->def)
            (void)set_default(field, out);
        if (!json_object_object_get_ex(object, field->name, &json) || !json)
            continue;
        if (read_field(field, json, out))
            return flt_error_set(error, FLT_INVALID_ARGUMENT, field->name, "",
                                 "the saved %s is not %s", field->name, type_word(field));
    }
    return 0;
}

/* --- JSON Schema --------------------------------------------------------------------------------
 */

static void write_bounds(const struct field *field, struct flt_buf *buf)
{
    static const char *const keys[] = { "minimum", "maximum", "x-step" };
    const char *const texts[] = { field->min, field->max, field->step };

    for (size_t i = 0; i < FLT_COUNT(keys); i++) {
        int64_t ms;

        if (!texts[i])
            continue;
        if (field->type == FIELD_DURATION && parse_duration(texts[i], &ms))
            flt_jw_int(buf, keys[i], ms);
        else
            flt_jw_raw(buf, keys[i], texts[i]);
    }
}

static void write_item_schema(const struct field *field, struct flt_buf *buf)
{
    static const char *const types[] = {
        [FIELD_INT] = "integer",  [FIELD_DOUBLE] = "number", [FIELD_DEC] = "number",
        [FIELD_BOOL] = "boolean", [FIELD_ENUM] = "string",   [FIELD_DURATION] = "integer",
    };
    static const char *const kinds[] = {
        [FIELD_INT] = "int",   [FIELD_DOUBLE] = "double", [FIELD_DEC] = "decimal",
        [FIELD_BOOL] = "bool", [FIELD_ENUM] = "enum",     [FIELD_DURATION] = "duration",
    };

    flt_jw_str(buf, "type", types[field->type]);
    flt_jw_str(buf, "x-type", kinds[field->type]);
    if (field->type == FIELD_ENUM) {
        flt_jw_begin(buf, "enum", '[');
        for (size_t i = 0; field->choices[i]; i++)
            flt_jw_str(buf, NULL, field->choices[i]);
        flt_jw_end(buf, ']');
    }
    write_bounds(field, buf);
}

static void write_default(const struct field *field, struct flt_buf *buf)
{
    struct flt_dec storage = FLT_DEC_ZERO;
    int64_t ms;

    if (!field->def)
        return;
    if (field->type == FIELD_ENUM)
        flt_jw_str(buf, "default", field->def);
    else if (field->type == FIELD_DURATION && parse_duration(field->def, &ms))
        flt_jw_int(buf, "default", ms);
    else if (parse_text(field, field->def, (char *)&storage))
        flt_jw_raw(buf, "default", field->def);
}

static void write_property(const struct field *field, struct flt_buf *buf, int64_t order)
{
    flt_jw_begin(buf, field->name, '{');
    flt_jw_str(buf, "description", field->help ? field->help : "");
    if (value_count(field) > 1) {
        flt_jw_str(buf, "type", "array");
        flt_jw_int(buf, "minItems", 1);
        flt_jw_int(buf, "maxItems", field->count);
        flt_jw_begin(buf, "items", '{');
        write_item_schema(field, buf);
        flt_jw_end(buf, '}');
    } else {
        write_item_schema(field, buf);
    }
    write_default(field, buf);
    flt_jw_str(buf, "x-unit", field->unit ? field->unit : "");
    flt_jw_bool(buf, "x-hot", field->hot);
    flt_jw_int(buf, "x-order", order);
    flt_jw_end(buf, '}');
}

void params_schema(const struct field *fields, struct flt_buf *buf, const char *key)
{
    int64_t order = 0;

    flt_jw_begin(buf, key, '{');
    flt_jw_str(buf, "type", "object");
    flt_jw_begin(buf, "properties", '{');
    for (const struct field *field = fields; field->name; field++)
        write_property(field, buf, order++);
    flt_jw_end(buf, '}');
    flt_jw_begin(buf, "required", '[');
    for (const struct field *field = fields; field->name; field++)
        if (!field->def)
            flt_jw_str(buf, NULL, field->name);
    flt_jw_end(buf, ']');
    flt_jw_bool(buf, "additionalProperties", false);
    flt_jw_end(buf, '}');
}
