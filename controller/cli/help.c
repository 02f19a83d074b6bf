/* Help, completion candidates and the shells' scripts, all from the command table. */
#define FLT_MOD "cli"
#include <string.h>
#include "controller/cli/command.h"

static void flag_label(const struct cli_flag *flag, char *out, size_t size)
{
    char letter[8] = "    ";

    if (flag->letter)
        snprintf(letter, sizeof letter, "-%c, ", flag->letter);
    snprintf(out, size, "%s--%s%s%s%s", letter, flag->name,
             flag->value ? flag->optional ? "[=" : " " : "", flag->value ? flag->value : "",
             flag->optional ? "]" : "");
}

static void print_flags(FILE *file, const char *title, const struct cli_flag *flags)
{
    if (!flags || !flags->name)
        return;
    fprintf(file, "\n%s:\n", title);
    for (; flags->name; flags++) {
        char label[64];

        flag_label(flags, label, sizeof label);
        fprintf(file, "  %-26s %s%s%s%s%s\n", label, flags->help, flags->choices ? " (" : "",
                flags->choices ? flags->choices : "", flags->choices ? ")" : "",
                flags->repeated ? ", repeatable" : "");
    }
}

static void print_commands(FILE *file, const struct cli_command *rows)
{
    fprintf(file, "\ncommands:\n");
    for (; rows->name; rows++) {
        char label[64];

        if (rows->hidden)
            continue;
        snprintf(label, sizeof label, "%s%s%s", rows->name, rows->args ? " " : "",
                 rows->args ? rows->args : "");
        fprintf(file, "  %-26s %s\n", label, rows->help);
    }
}

void cli_help(FILE *file, const struct cli_command *command, const char *path)
{
    const char *gap = *path ? " " : "";

    fprintf(file, "%s\n\nusage: flotilla%s%s%s%s%s\n", command->help, gap, path,
            command->commands ? " COMMAND" : "", command->args ? " " : "",
            command->args                       ? command->args
            : command->raw || command->commands ? ""
                                                : "");
    if (command->details)
        fprintf(file, "\n%s\n", command->details);
    if (command->examples)
        fprintf(file, "\nexamples:\n%s\n", command->examples);
    if (command->commands)
        print_commands(file, command->commands);
    print_flags(file, "flags", command->flags);
    print_flags(file, "global flags", cli_global_flags);
}

static bool starts(const char *word, const char *prefix)
{
    return strncmp(word, prefix, strlen(prefix)) == 0;
}

static void complete_choices(FILE *file, const char *choices, const char *prefix)
{
    for (const char *at = choices; at;) {
        const char *bar = strchr(at, '|');
        const size_t size = bar ? (size_t)(bar - at) : strlen(at);

        if (strncmp(at, prefix, strlen(prefix)) == 0)
            fprintf(file, "%.*s\t\n", (int)size, at);
        at = bar ? bar + 1 : NULL;
    }
}

static void complete_flags(FILE *file, const struct cli_flag *flags, const char *prefix)
{
    for (; flags && flags->name; flags++) {
        char word[64];

        snprintf(word, sizeof word, "--%s", flags->name);
        if (starts(word, prefix))
            fprintf(file, "%s\t%s\n", word, flags->help);
    }
}

static const struct cli_flag *flag_of(const struct cli_command *command, const char *word)
{
    const struct cli_flag *const lists[] = { command->flags, cli_global_flags };

    for (size_t i = 0; i < FLT_COUNT(lists); i++)
        for (const struct cli_flag *flag = lists[i]; flag && flag->name; flag++)
            if ((starts(word, "--") && strcmp(word + 2, flag->name) == 0) ||
                (flag->letter && word[0] == '-' && word[1] == flag->letter && !word[2]))
                return flag;
    return NULL;
}

/* Walks the words before the last; `pending` is the flag whose value the last word is. */
static const struct cli_command *walk(const struct cli_command *command, size_t count,
                                      const char *const *words, const struct cli_flag **pending,
                                      size_t *args)
{
    *pending = NULL;
    *args = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        if (*pending) {
            *pending = NULL;
            continue;
        }
        if (words[i][0] == '-') {
            const struct cli_flag *flag = flag_of(command, words[i]);

            *pending = flag && flag->value && !flag->optional ? flag : NULL;
            continue;
        }
        const struct cli_command *row = command->commands;

        while (row && row->name && strcmp(row->name, words[i]) != 0)
            row++;
        if (!row || !row->name)
            row = command->run ? NULL : cli_plural(command, words[i]);
        if (row && row->name)
            command = row;
        else
            (*args)++;
    }
    return command;
}

/* The `index`-th word of "BOT [set|edit] [KEY=VALUE...]"; the last one when it repeats. */
static size_t arg_word(const char *spec, size_t index, const char **out)
{
    while (spec && *spec) {
        const size_t length = strcspn(spec, " ");
        const bool repeats = memmem(spec, length, "...", 3) != NULL;

        if (index == 0 || repeats) {
            *out = spec + (*spec == '[');
            return length - 2 * (size_t)(*spec == '[');
        }
        index--;
        spec += length + (spec[length] == ' ');
    }
    return 0;
}

/* Words behind the first: "[set|edit]" are those words, NODE is a node's name. */
static void complete_arg(FILE *file, const struct cli_command *command, size_t index,
                         const char *last,
                         void (*live)(void *ctx, FILE *file, const char *kind, const char *prefix),
                         void *ctx)
{
    static const struct {
        const char *word, *choices, *kind;
    } rows[] = {
        { "NODE", NULL, "node" },
        { "BOT...", NULL, "bot" },
        { "ROLE", "viewer|trader|admin", NULL },
        { "SHELL", "bash|zsh|fish", NULL },
    };
    const char *word = "";
    const size_t length = arg_word(command->args, index, &word);
    char text[64];

    snprintf(text, sizeof text, "%.*s", (int)(length < 63 ? length : 63), word);
    if (index == 0 && command->live) {
        if (live)
            live(ctx, file, command->live, last);
        return;
    }
    if (strchr(text, '|')) {
        complete_choices(file, text, last);
        return;
    }
    for (size_t i = 0; *text && i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(text, rows[i].word) != 0)
            continue;
        complete_choices(file, rows[i].choices, last);
        if (rows[i].kind && live)
            live(ctx, file, rows[i].kind, last);
    }
}

void cli_complete(FILE *file, const struct cli_command *root, size_t count,
                  const char *const *words,
                  void (*live)(void *ctx, FILE *file, const char *kind, const char *prefix),
                  void *ctx)
{
    const struct cli_flag *pending;
    size_t args;
    const struct cli_command *command = walk(root, count, words, &pending, &args);
    const char *last = count ? words[count - 1] : "";

    if (pending) {
        complete_choices(file, pending->choices, last);
        if (pending->live && live)
            live(ctx, file, pending->live, last);
        return;
    }
    if (last[0] == '-') {
        complete_flags(file, command->flags, last);
        complete_flags(file, cli_global_flags, last);
        return;
    }
    for (const struct cli_command *row = command->commands; row && row->name; row++)
        if (!row->hidden && starts(row->name, last))
            fprintf(file, "%s\t%s\n", row->name, row->help);
    if (command->run)
        complete_arg(file, command, args, last, live, ctx);
}

static const char bash_script[] =
    "# bash completion of flotilla:  source <(flotilla completion bash)\n"
    "_flotilla() {\n"
    "    local line\n"
    "    COMPREPLY=()\n"
    "    while IFS=$'\\t' read -r line _; do\n"
    "        case $line in\n"
    "        :file) mapfile -t COMPREPLY < <(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\") ;;\n"
    "        :dir) mapfile -t COMPREPLY < <(compgen -d -- \"${COMP_WORDS[COMP_CWORD]}\") ;;\n"
    "        ?*) COMPREPLY+=(\"$line\") ;;\n"
    "        esac\n"
    "    done < <(\"${COMP_WORDS[0]}\" __complete -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" "
    "2>/dev/null)\n"
    "}\n"
    "complete -F _flotilla flotilla\n";

static const char zsh_script[] =
    "#compdef flotilla\n"
    "# zsh completion of flotilla:  source <(flotilla completion zsh)\n"
    "_flotilla() {\n"
    "    local word help\n"
    "    local -a found\n"
    "    while IFS=$'\\t' read -r word help; do\n"
    "        case $word in\n"
    "        :file) _files; return ;;\n"
    "        :dir) _files -/; return ;;\n"
    "        ?*) found+=(\"${word//:/\\\\:}:$help\") ;;\n"
    "        esac\n"
    "    done < <(\"${words[1]}\" __complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)\n"
    "    _describe 'flotilla' found\n"
    "}\n"
    "compdef _flotilla flotilla\n";

static const char fish_script[] =
    "# fish completion of flotilla:  flotilla completion fish | source\n"
    "function __flotilla_complete\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    for line in ($words[1] __complete -- $words[2..-1] 2>/dev/null)\n"
    "        switch $line\n"
    "            case ':file*' ':dir*'\n"
    "                __fish_complete_path (commandline -ct)\n"
    "            case '*'\n"
    "                echo $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c flotilla -f -a '(__flotilla_complete)'\n";

const char *cli_completion_script(const char *shell)
{
    if (strcmp(shell, "bash") == 0)
        return bash_script;
    if (strcmp(shell, "zsh") == 0)
        return zsh_script;
    return strcmp(shell, "fish") == 0 ? fish_script : NULL;
}
