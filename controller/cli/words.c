#define FLT_MOD "cli"
#include "controller/cli/words.h"
#include <ctype.h>
#include <string.h>
#include "controller/cli/ask.h"
#include "controller/cli/commands.h"

/* Arguments of verbs as they stand in hints, and the flags that give them. */
static const struct {
    const char *said, *flag;
} phrases[] = {
    { "with how: flatten", "with --flatten" },
    { "say force", "say --force" },
    { "not come back: force", "not come back: --force" },
    { "with live: true (--live on the command line)", "with --live" },
    { "give credentials_sealed for a new key",
      "keys on standard input or --key-file replace its keys" },
};

static const char *verb_of(const struct cli_command *command)
{
    return command->verb             ? command->verb
           : command->run == cmd_ask ? ((const struct ask *)command->data)->verb
                                     : NULL;
}

/* "bot-ls" is `bot ls` where nothing else is said. */
static bool is_path(const char *verb, const char *group, const char *name)
{
    const size_t length = strlen(group);

    return strncmp(verb, group, length) == 0 && verb[length] == '-' &&
           strcmp(verb + length + 1, name) == 0;
}

static bool find_in(const struct cli_command *rows, const char *group, const char *verb,
                    char path[CLI_PATH_MAX])
{
    for (; rows && rows->name; rows++) {
        const char *asks = verb_of(rows);

        if (rows->hidden)
            continue;
        if (rows->commands && find_in(rows->commands, rows->name, verb, path))
            return true;
        if (rows->commands ||
            (asks ? strcmp(asks, verb) != 0 : !*group || !is_path(verb, group, rows->name)))
            continue;
        snprintf(path, CLI_PATH_MAX, "%s%s%s", group, *group ? " " : "", rows->name);
        return true;
    }
    return false;
}

bool words_command(const char *verb, char path[CLI_PATH_MAX])
{
    return find_in(cli_root.commands, "", verb, path);
}

struct words {
    char *out;
    size_t size, used;
};

static void add(struct words *words, const char *text, size_t length)
{
    const size_t room = words->size - words->used - 1;

    length = length < room ? length : room;
    memcpy(words->out + words->used, text, length);
    words->used += length;
    words->out[words->used] = 0;
}

/* How much of `text` is an argument's words; 0: none. */
static size_t take_phrase(struct words *words, const char *text)
{
    for (size_t i = 0; i < FLT_COUNT(phrases); i++) {
        const size_t length = strlen(phrases[i].said);

        if (strncmp(text, phrases[i].said, length) != 0)
            continue;
        add(words, phrases[i].flag, strlen(phrases[i].flag));
        return length;
    }
    return 0;
}

static bool is_word(char c)
{
    return islower((unsigned char)c) || isdigit((unsigned char)c) || c == '-' || c == '_';
}

/* Only words with a dash: "halt" and "status" mean themselves too often. */
static void take_word(struct words *words, const char *text, size_t length, char before)
{
    char verb[40], path[CLI_PATH_MAX];

    snprintf(verb, sizeof verb, "%.*s", (int)length, text);
    if (strchr("./\"'", before) && before) {
        add(words, text, length); /* of a path, or quoted */
    } else if (length < sizeof verb && memchr(text, '-', length) && words_command(verb, path)) {
        add(words, "flotilla ", strlen("flotilla "));
        add(words, path, strlen(path));
    } else {
        add(words, text, length);
    }
}

char *words_translate(const char *text, char *out, size_t size)
{
    struct words words = { out, size, 0 };
    const char *start = text;

    *out = 0;
    while (*text) {
        size_t length = take_phrase(&words, text);

        if (!length && is_word(*text)) {
            while (is_word(text[length]))
                length++;
            take_word(&words, text, length, text > start ? text[-1] : 0);
        } else if (!length) {
            length = 1;
            add(&words, text, 1);
        }
        text += length;
    }
    return out;
}
