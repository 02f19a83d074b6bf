#define FLT_MOD "cli"
#include <stdarg.h>
#include <string.h>
#include "controller/cli/cli.h"
#include "controller/cli/text.h"
#include "controller/cli/words.h"
#include "lib/json.h"

static struct json_object *one_path(struct json_object *item, const char *path, size_t length)
{
    char key[64];

    while (item && length) {
        size_t size = 0;

        while (size < length && path[size] != '.')
            size++;
        snprintf(key, sizeof key, "%.*s", (int)size, path);
        item = json_object_is_type(item, json_type_object) ? flt_json_get(item, key) : NULL;
        path += size;
        length -= size;
        if (length) {
            path++;
            length--;
        }
    }
    return item;
}

struct json_object *out_path(struct json_object *item, const char *path)
{
    for (;;) {
        const size_t length = strcspn(path, "|");
        struct json_object *found = one_path(item, path, length);

        if (found || !path[length])
            return found;
        path += length + 1;
    }
}

char *out_text(struct json_object *item, const char *path, char *out, size_t size)
{
    struct json_object *found = out_path(item, path);
    const char *text = !found ? ""
                       : json_object_is_type(found, json_type_string)
                           ? json_object_get_string(found)
                           : json_object_to_json_string_ext(found, JSON_C_TO_STRING_PLAIN);

    snprintf(out, size, "%s", text);
    text_clean(out);
    return out;
}

/* json-c escapes what is below a space; DEL, C1 controls and direction marks are escaped here, so
 * that a name from outside cannot draw on a terminal and programs still read every character. */
static void write_json(FILE *file, const char *text)
{
    const char *from = text;
    int32_t character;
    size_t size;

    for (const char *at = text; (size = text_next(at, &character)); at += size) {
        if (!text_is_control(character))
            continue;
        fwrite(from, 1, (size_t)(at - from), file);
        if (character > 0xffff)
            fprintf(file, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((character - 0x10000) >> 10)),
                    (unsigned)(0xdc00 + ((character - 0x10000) & 0x3ff)));
        else
            fprintf(file, "\\u%04x", character < 0 ? 0xfffdu : (unsigned)character);
        from = at + size;
    }
    fprintf(file, "%s\n", from);
}

void out_json_to(FILE *file, struct json_object *document)
{
    write_json(file, json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN |
                                                                  JSON_C_TO_STRING_NOSLASHESCAPE));
}

void out_json(struct json_object *document)
{
    out_json_to(stdout, document);
}

void out_note(const struct cli *cli, const char *format, ...)
{
    va_list args;

    char line[1024];

    if (!cli->people)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    text_clean(line);
    fprintf(stderr, "%s\n", line);
}

void out_error(const struct cli *cli, const struct flt_error *error)
{
    struct flt_buf buf = FLT_BUF_INIT;
    struct flt_error shown = *error; /* it may quote what strangers wrote */

    fflush(stdout);
    words_translate(error->message, shown.message, sizeof shown.message);
    words_translate(error->hint, shown.hint, sizeof shown.hint);
    if (!cli->json) {
        /* A path into a manifest says where; a flag's or argument's name is in the sentence. */
        const bool field = strpbrk(error->field, ".[") != NULL;

        text_clean(shown.message);
        text_clean(shown.hint);
        text_clean(shown.field);
        fprintf(stderr, "%serror:%s %s%s%s%s\n", cli->color ? "\033[31m" : "",
                cli->color ? "\033[0m" : "", shown.message, field ? " (" : "",
                field ? shown.field : "", field ? ")" : "");
        if (shown.hint[0])
            fprintf(stderr, "  %s\n", shown.hint);
        return;
    }
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_begin(&buf, "error", '{');
    flt_jw_str(&buf, "code", flt_error_name(error->code));
    flt_jw_str(&buf, "message", shown.message);
    flt_jw_str(&buf, "hint", shown.hint);
    flt_jw_str(&buf, "field", error->field);
    flt_jw_end(&buf, '}');
    flt_jw_end(&buf, '}');
    if (!buf.failed)
        write_json(stderr, buf.data);
    flt_buf_finish(&buf);
}
