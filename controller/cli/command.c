#define FLT_MOD "cli"
#include <errno.h>
#include <string.h>
#include "controller/cli/command.h"

#define NAMES_MAX 64

const struct cli_flag cli_global_flags[] = {
    { .name = "dir",
      .value = "DIR",
      .live = "dir",
      .help = "folder of the fleet (default: $FLOTILLA_DIR, else ~/.local/share/flotilla)" },
    { .name = "context",
      .value = "NAME",
      .live = "context",
      .help = "which fleet, by the name that flotilla context knows it by" },
    { .name = "output",
      .letter = 'o',
      .value = "FORMAT",
      .choices = "table|wide|json|jsonl|csv|name",
      .help = "table and wide for people, the others for programs" },
    { .name = "columns", .value = "A,B", .help = "of a list: only these, in this order" },
    { .name = "sort", .value = "COLUMN", .help = "of a list; --sort=-COLUMN: downwards" },
    { .name = "no-headers", .help = "of a list: without its first line" },
    { .name = "user",
      .value = "USER",
      .help = "who asks (default admin; password in DIR/secrets)" },
    { .name = "timeout", .value = "TIME", .help = "how long to wait for an answer (default 5s)" },
    { .name = "color",
      .value = "WHEN",
      .choices = "auto|always|never",
      .help = "colour (default auto: on a terminal, and never with NO_COLOR)" },
    { .name = "help", .letter = 'h', .help = "what this command does" },
    { .name = "version", .help = "the program's version" },
    { .name = NULL },
};

static bool in_choices(const char *choices, const char *word)
{
    const size_t length = strlen(word);

    for (const char *at = choices; at;) {
        const char *bar = strchr(at, '|');
        const size_t size = bar ? (size_t)(bar - at) : strlen(at);

        if (size == length && memcmp(at, word, size) == 0)
            return true;
        at = bar ? bar + 1 : NULL;
    }
    return false;
}

static const struct cli_flag *find_in(const struct cli_flag *flags, const char *name, size_t length)
{
    for (; flags && flags->name; flags++)
        if (strlen(flags->name) == length && memcmp(flags->name, name, length) == 0)
            return flags;
    return NULL;
}

static const struct cli_flag *find_flag(const struct cli_command *command, const char *name,
                                        size_t length)
{
    const struct cli_flag *flag = find_in(command->flags, name, length);

    return flag ? flag : find_in(cli_global_flags, name, length);
}

static const struct cli_flag *find_letter(const struct cli_command *command, char letter)
{
    const struct cli_flag *const lists[] = { command->flags, cli_global_flags };

    for (size_t i = 0; i < FLT_COUNT(lists); i++)
        for (const struct cli_flag *flag = lists[i]; flag && flag->name; flag++)
            if (flag->letter == letter)
                return flag;
    return NULL;
}

static int unknown_flag(const struct cli_command *command, const char *path, const char *word,
                        struct flt_error *error)
{
    const char *names[NAMES_MAX];
    const struct cli_flag *const lists[] = { command->flags, cli_global_flags };
    size_t count = 0;
    char name[64], hint[128];

    for (size_t i = 0; i < FLT_COUNT(lists); i++)
        for (const struct cli_flag *flag = lists[i]; flag && flag->name && count < NAMES_MAX;
             flag++)
            names[count++] = flag->name;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    const char *near = flt_nearest(name + strspn(name, "-"), names, count);

    if (near)
        snprintf(hint, sizeof hint, "did you mean --%s?", near);
    else
        snprintf(hint, sizeof hint, "see: flotilla %s%s--help", path, *path ? " " : "");
    return flt_error_set(error, FLT_INVALID_ARGUMENT, name, hint, "unknown flag %s", name);
}

static const struct cli_command *find_command(const struct cli_command *group, const char *word)
{
    for (const struct cli_command *row = group->commands; row && row->name; row++)
        if (strcmp(row->name, word) == 0)
            return row;
    return NULL;
}

/* The group that has it: who types `flotilla stop` means `flotilla bot stop`, not `flotilla top`.
 */
static const struct cli_command *group_with(const struct cli_command *root, const char *word)
{
    const struct cli_command *bots = find_command(root, "bot");

    if (bots && find_command(bots, word))
        return bots;
    for (const struct cli_command *row = root->commands; row && row->name; row++)
        if (!row->hidden && find_command(row, word))
            return row;
    return NULL;
}

/* What other programs call it; none is a command of ours by that name. */
static const char *known_as(const struct cli_command *group, const char *word)
{
    static const struct {
        const char *word, *ours;
    } others[] = {
        { "list", "ls" },    { "delete", "rm" },  { "remove", "rm" },   { "create", "deploy" },
        { "create", "add" }, { "new", "deploy" }, { "new", "add" },     { "describe", "show" },
        { "get", "show" },   { "info", "show" },  { "status", "show" }, { "kill", "stop" },
    };

    for (size_t i = 0; i < FLT_COUNT(others); i++)
        if (strcmp(others[i].word, word) == 0 && find_command(group, others[i].ours))
            return others[i].ours;
    return NULL;
}

static int unknown_command(const struct cli_command *group, const char *path, const char *word,
                           struct flt_error *error)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    char hint[128];

    for (const struct cli_command *row = group->commands; row && row->name; row++)
        if (!row->hidden && count < NAMES_MAX)
            names[count++] = row->name;
    const char *other = known_as(group, word);
    const char *near = other ? other : flt_nearest(word, names, count);

    const struct cli_command *owner = *path ? NULL : group_with(group, word);

    if (owner)
        snprintf(hint, sizeof hint, "did you mean: flotilla %s %.32s?", owner->name, word);
    else if (near)
        snprintf(hint, sizeof hint, "did you mean: flotilla %s%s%s?", path, *path ? " " : "", near);
    else
        snprintf(hint, sizeof hint, "see: flotilla %s%s--help", path, *path ? " " : "");
    return flt_error_set(error, FLT_INVALID_ARGUMENT, "command", hint, "unknown command %s%s%.64s",
                         path, *path ? " " : "", word);
}

static void path_add(char path[CLI_PATH_MAX], const char *word)
{
    const size_t length = strlen(path);

    snprintf(path + length, CLI_PATH_MAX - length, "%s%s", length ? " " : "", word);
}

const struct cli_command *cli_find(const struct cli_command *root, size_t count,
                                   const char *const *words, char path[CLI_PATH_MAX],
                                   struct flt_error *error)
{
    const struct cli_command *command = root;

    path[0] = 0;
    for (size_t i = 0; i < count; i++) {
        const struct cli_command *next = find_command(command, words[i]);

        if (!next) {
            unknown_command(command, path, words[i], error);
            return NULL;
        }
        path_add(path, words[i]);
        command = next;
    }
    return command;
}

static int keep_value(struct cli_parse *parse, const struct cli_flag *flag, const char *text,
                      struct flt_error *error)
{
    if (flag->choices && text && !in_choices(flag->choices, text))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, flag->name, "",
                             "--%s is one of %s, not %.64s", flag->name, flag->choices, text);
    if (!flag->repeated && cli_parse_has(parse, flag->name))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, flag->name, "", "--%s stands twice",
                             flag->name);
    if (parse->value_count == CLI_VALUES_MAX)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, flag->name, "use a file: bot apply -f",
                             "more than %d flags", CLI_VALUES_MAX);
    parse->values[parse->value_count++] = (struct cli_value){ flag, text };
    if (strcmp(flag->name, "help") == 0)
        parse->help = true;
    return 0;
}

/* The words still to read. */
struct cursor {
    const char **argv;
    int argc, at;
};

/* "30s", "5m": who writes it behind --wait means its value, and no bot. */
static bool is_duration(const char *word)
{
    const size_t digits = strspn(word, "0123456789");
    const char *unit = word + digits;

    return digits && (strcmp(unit, "ms") == 0 || (strchr("smh", *unit) && *unit && !unit[1]));
}

/* The value of `flag`: what stands after "=" or directly behind the letter, else the next word. */
static int take_value(struct cli_parse *parse, const struct cli_flag *flag, const char *attached,
                      struct cursor *cursor, struct flt_error *error)
{
    if (!flag->value) {
        if (attached)
            return flt_error_set(error, FLT_INVALID_ARGUMENT, flag->name, "", "--%s takes no value",
                                 flag->name);
        return keep_value(parse, flag, NULL, error);
    }
    if (!attached && flag->optional && cursor->at + 1 < cursor->argc &&
        is_duration(cursor->argv[cursor->at + 1])) {
        char hint[64];

        snprintf(hint, sizeof hint, "--%s=%.16s", flag->name, cursor->argv[cursor->at + 1]);
        return flt_error_set(error, FLT_INVALID_ARGUMENT, flag->name, hint,
                             "the value of --%s stands behind an =", flag->name);
    }
    if (attached || flag->optional)
        return keep_value(parse, flag, attached, error);
    if (cursor->at + 1 >= cursor->argc)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, flag->name, "", "--%s needs a value: %s",
                             flag->name, flag->value);
    return keep_value(parse, flag, cursor->argv[++cursor->at], error);
}

static int read_long(struct cli_parse *parse, struct cursor *cursor, struct flt_error *error)
{
    const char *word = cursor->argv[cursor->at];
    const char *name = word + 2;
    const size_t length = strcspn(name, "=");
    const struct cli_flag *flag = find_flag(parse->command, name, length);

    if (!flag)
        return unknown_flag(parse->command, parse->path, word, error);
    return take_value(parse, flag, name[length] ? name + length + 1 : NULL, cursor, error);
}

/* "-f", "-fy" (two switches), "-ojson" and "-o json". */
static int read_letters(struct cli_parse *parse, struct cursor *cursor, struct flt_error *error)
{
    const char *word = cursor->argv[cursor->at];

    for (const char *at = word + 1; *at; at++) {
        const struct cli_flag *flag = find_letter(parse->command, *at);

        if (!flag)
            return unknown_flag(parse->command, parse->path, word, error);
        if (flag->value)
            return take_value(parse, flag, at[1] ? at + 1 : NULL, cursor, error);
        int err = keep_value(parse, flag, NULL, error);
        if (err)
            return err;
    }
    return 0;
}

static bool is_letters(const char *word)
{
    return word[0] == '-' && word[1] && !(word[1] >= '0' && word[1] <= '9') && word[1] != '.';
}

static const struct cli_command *find_plural(const struct cli_command *group, const char *word,
                                             const struct cli_command **list)
{
    const size_t length = strlen(word);

    for (const struct cli_command *row = group->commands; row && row->name; row++) {
        const size_t own = strlen(row->name);
        const bool ys =
            row->name[own - 1] == 'y' && length == own + 2 && strcmp(word + own - 1, "ies") == 0;

        *list = row->commands ? find_command(row, "ls") : NULL;
        if (*list && strncmp(row->name, word, own - ys) == 0 &&
            (ys || (length == own + 1 && word[own] == 's')))
            return row;
    }
    return NULL;
}

const struct cli_command *cli_plural(const struct cli_command *group, const char *word)
{
    const struct cli_command *list = NULL;

    return find_plural(group, word, &list) ? list : NULL;
}

static int read_word(struct cli_parse *parse, struct cursor *cursor, struct flt_error *error)
{
    const char *word = cursor->argv[cursor->at];

    if (parse->command->run) {
        parse->args[parse->arg_count++] = word;
        return 0;
    }
    const struct cli_command *next = find_command(parse->command, word), *list = NULL;
    const struct cli_command *group = next ? NULL : find_plural(parse->command, word, &list);

    if (group)
        path_add(parse->path, group->name);
    if (group && cursor->at + 1 < cursor->argc &&
        find_command(group, cursor->argv[cursor->at + 1])) { /* `bots show x` */
        parse->command = group;
        return 0;
    }
    if (!next && !group)
        return unknown_command(parse->command, parse->path, word, error);
    path_add(parse->path, group ? "ls" : word);
    parse->command = group ? list : next;
    return 0;
}

/* How many words a spec like "NAME [TARGET...]" takes. */
static void args_range(const char *spec, size_t *min, size_t *max)
{
    *min = *max = 0;
    while (spec && *spec) {
        const size_t length = strcspn(spec, " ");

        *min += spec[0] != '[';
        *max = memmem(spec, length, "...", 3) ? SIZE_MAX : *max == SIZE_MAX ? SIZE_MAX : *max + 1;
        spec += length + (spec[length] == ' ');
    }
}

static int check_args(const struct cli_parse *parse, struct flt_error *error)
{
    size_t min, max;
    char hint[192];

    snprintf(hint, sizeof hint, "see: flotilla %s%s--help", parse->path, *parse->path ? " " : "");
    if (!parse->command->run)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "command", hint, "%s needs a command",
                             *parse->path ? parse->path : "flotilla");
    if (parse->command->raw)
        return 0;
    args_range(parse->command->args, &min, &max);
    if (parse->arg_count < min)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "arguments", hint, "%s needs %s",
                             parse->path, parse->command->args);
    if (parse->arg_count > max && find_in(parse->command->flags, "file", 4))
        snprintf(hint, sizeof hint, "a file is named with -f: flotilla %s -f %.64s", parse->path,
                 parse->args[max]);
    if (parse->arg_count > max)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "arguments", hint,
                             "%s: one word too many: %.64s", parse->path, parse->args[max]);
    return 0;
}

int cli_parse(const struct cli_command *root, int argc, const char **argv, struct cli_parse *out,
              struct flt_error *error)
{
    struct cursor cursor = { argv, argc, 0 };
    int err = 0;

    /* Positional words are packed to the front of argv, which is never ahead of the cursor. */
    *out = (struct cli_parse){ .command = root, .args = argv };
    for (; cursor.at < argc && !err; cursor.at++) {
        const char *word = argv[cursor.at];

        if (out->command->raw)
            out->args[out->arg_count++] = word;
        else if (strcmp(word, "--") == 0 && out->command->run)
            break;
        else if (strncmp(word, "--", 2) == 0)
            err = read_long(out, &cursor, error);
        else if (is_letters(word))
            err = read_letters(out, &cursor, error);
        else
            err = read_word(out, &cursor, error);
        if (out->help)
            return 0;
    }
    for (cursor.at++; cursor.at < argc && !err; cursor.at++)
        out->args[out->arg_count++] = argv[cursor.at];
    if (err || cli_parse_has(out, "version"))
        return err;
    return check_args(out, error);
}

const char *cli_parse_nth(const struct cli_parse *parse, const char *flag, size_t index)
{
    for (size_t i = 0; i < parse->value_count; i++)
        if (strcmp(parse->values[i].flag->name, flag) == 0 && index-- == 0)
            return parse->values[i].text;
    return NULL;
}

const char *cli_parse_value(const struct cli_parse *parse, const char *flag)
{
    const char *text = NULL;

    for (size_t i = 0; i < parse->value_count; i++)
        if (strcmp(parse->values[i].flag->name, flag) == 0)
            text = parse->values[i].text;
    return text;
}

bool cli_parse_has(const struct cli_parse *parse, const char *flag)
{
    for (size_t i = 0; i < parse->value_count; i++)
        if (strcmp(parse->values[i].flag->name, flag) == 0)
            return true;
    return false;
}
