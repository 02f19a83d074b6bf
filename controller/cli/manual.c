/* Manual pages (roff) and the reference (Markdown), from the command table. */
#define FLT_MOD "cli"
#include <ctype.h>
#include <string.h>
#include "controller/cli/topics.h"

/* --- roff
 * -----------------------------------------------------------------------------------------------
 */

/* Backslashes, dashes that people copy, and lines that would begin with a request. */
static void roff(FILE *file, const char *text)
{
    bool start = true;

    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\''))
            fputs("\\&", file);
        if (*text == '\\')
            fputs("\\e", file);
        else if (*text == '-')
            fputs("\\-", file);
        else
            fputc(*text, file);
        start = *text == '\n';
    }
}

static void roff_block(FILE *file, const char *text)
{
    fputs(".PP\n.nf\n", file);
    roff(file, text);
    fputs("\n.fi\n", file);
}

static void roff_flags(FILE *file, const struct cli_flag *flags)
{
    for (; flags && flags->name; flags++) {
        fputs(".TP\n\\fB", file);
        if (flags->letter)
            fprintf(file, "\\-%c\\fR, \\fB", flags->letter);
        fputs("\\-\\-", file);
        roff(file, flags->name);
        fputs("\\fR", file);
        if (flags->value)
            fprintf(file, "%s\\fI%s\\fR%s", flags->optional ? "[=" : " ", flags->value,
                    flags->optional ? "]" : "");
        fputc('\n', file);
        roff(file, flags->help);
        if (flags->choices) {
            fputs(" (", file);
            roff(file, flags->choices);
            fputc(')', file);
        }
        fputs(flags->repeated ? ", repeatable\n" : "\n", file);
    }
}

static void roff_command(FILE *file, const struct cli_command *command, const char *path)
{
    fputs(".SS flotilla ", file);
    roff(file, path);
    fprintf(file, "%s%s\n", command->args ? " " : "", command->args ? command->args : "");
    roff(file, command->help);
    fputs(".\n", file);
    if (command->details)
        roff_block(file, command->details);
    roff_flags(file, command->flags);
    if (command->examples)
        roff_block(file, command->examples);
}

static void roff_topics(FILE *file)
{
    const struct cli_topic *topic;

    for (size_t i = 0; (topic = cli_topic_at(i)); i++) {
        if (strcmp(topic->name, "topics") == 0)
            continue;
        fputs(".SH \"", file);
        for (const char *at = topic->name; *at; at++)
            fputc(toupper((unsigned char)*at), file);
        fputs("\"\n.nf\n", file);
        fflush(file);
        char text[8192] = "";
        FILE *memory = fmemopen(text, sizeof text, "w");

        if (memory) {
            cli_topic_print(memory, topic);
            fclose(memory);
        }
        roff(file, text);
        fputs(".fi\n", file);
    }
}

void cli_man(FILE *file, const struct cli_command *root, const char *group)
{
    const struct cli_command *at = root;
    char path[CLI_PATH_MAX];

    for (const struct cli_command *row = root->commands; *group && row->name; row++)
        if (strcmp(row->name, group) == 0)
            at = row;
    fprintf(file, ".TH FLOTILLA%s%s 1 \"\" \"flotilla %s\"\n.SH NAME\nflotilla%s%s \\- ",
            *group ? "\\-" : "", group, FLT_VERSION, *group ? "\\-" : "", group);
    roff(file, at->help);
    fprintf(file, "\n.SH SYNOPSIS\n.B flotilla %s\n.I COMMAND\n[\\fIFLAGS\\fR]\n", group);
    if (at->examples) {
        fputs(".SH EXAMPLES\n", file);
        roff_block(file, at->examples);
    }
    fputs(".SH COMMANDS\n", file);
    for (const struct cli_command *row = at->commands; row && row->name; row++) {
        if (row->hidden)
            continue;
        snprintf(path, sizeof path, "%s%s%s", group, *group ? " " : "", row->name);
        if (row->commands) {
            fputs(".SS flotilla ", file);
            roff(file, path);
            fputc('\n', file);
            roff(file, row->help);
            fprintf(file, ": see\n.BR flotilla\\-%s (1).\n", row->name);
        } else {
            roff_command(file, row, path);
        }
    }
    fputs(".SH \"GLOBAL FLAGS\"\n", file);
    roff_flags(file, cli_global_flags);
    if (!*group)
        roff_topics(file);
    else
        fputs(".SH \"SEE ALSO\"\n.BR flotilla (1)\n", file);
}

/* --- Markdown
 * ------------------------------------------------------------------------------------------- */

static void md_text(FILE *file, const char *text)
{
    for (; *text; text++)
        fprintf(file, "%s%c", *text == '|' ? "\\" : "", *text);
}

static void md_flags(FILE *file, const struct cli_flag *flags)
{
    if (!flags || !flags->name)
        return;
    fputs("\n| flag | |\n|---|---|\n", file);
    for (; flags->name; flags++) {
        fputs("| `", file);
        if (flags->letter)
            fprintf(file, "-%c, ", flags->letter);
        fprintf(file, "--%s%s%s%s` | ", flags->name,
                flags->value ? flags->optional ? "[=" : " " : "", flags->value ? flags->value : "",
                flags->optional ? "]" : "");
        md_text(file, flags->help);
        if (flags->choices) {
            fputs(" (", file);
            md_text(file, flags->choices);
            fputc(')', file);
        }
        fputs(flags->repeated ? ", repeatable |\n" : " |\n", file);
    }
}

static void md_command(FILE *file, const struct cli_command *command, const char *path)
{
    fprintf(file, "\n### flotilla %s%s%s\n\n%s.\n", path, command->args ? " " : "",
            command->args ? command->args : "", command->help);
    if (command->details)
        fprintf(file, "\n```text\n%s\n```\n", command->details);
    md_flags(file, command->flags);
    if (command->examples)
        fprintf(file, "\n```sh\n%s\n```\n", command->examples);
}

void cli_markdown(FILE *file, const struct cli_command *root)
{
    char path[CLI_PATH_MAX];

    fputs(
        "# Every command\n\nMade from the command table by `flotilla help --markdown`; the guide is"
        " [cli.md](cli.md).\n",
        file);
    fputs("\n## Global flags\n", file);
    md_flags(file, cli_global_flags);
    fputs("\n## The fleet\n", file);
    for (const struct cli_command *row = root->commands; row->name; row++)
        if (!row->hidden && !row->commands)
            md_command(file, row, row->name);
    for (const struct cli_command *group = root->commands; group->name; group++) {
        if (group->hidden || !group->commands)
            continue;
        fprintf(file, "\n## %s: %s\n", group->name, group->help);
        for (const struct cli_command *row = group->commands; row->name; row++) {
            snprintf(path, sizeof path, "%s %s", group->name, row->name);
            if (!row->hidden)
                md_command(file, row, path);
        }
    }
}
