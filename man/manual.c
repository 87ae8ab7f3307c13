/*
 * Fills in conda-gpu(1) at build time: reads the page's template on stdin and writes it to stdout,
 * with what the tables of cli/options.h say in place of the lines @synopsis, @commands and
 * @statuses. So the page has every option that the program has, in the words of its help.
 */
#include "cli/options.h"

#include "base/scope.h"
#include "base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text for mdoc(7): a - is one that can be copied, no line is taken for a request, and a sentence
   begins a line. */
static void add_text(struct strbuf *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        bool begins = c == text || c[-1] == '\n', ends = *c == ' ' && !begins && c[-1] == '.';
        if (begins && strchr(".'", *c))
            strbuf_adds(out, "\\&");
        if (*c == '\\' || *c == '-')
            strbuf_adds(out, *c == '-' ? "\\-" : "\\e");
        else
            strbuf_addc(out, ends ? '\n' : *c);
    }
}

static void add_synopsis(struct strbuf *out)
{
    for (size_t i = 0; i < command_count; i++) {
        if (commands[i]->hidden)
            continue;
        strbuf_addf(out, ".Nm\n.Cm %s\n", commands[i]->name);
        add_text(out, commands[i]->usage);
        strbuf_adds(out, *commands[i]->usage ? "\n" : "");
    }
}

/* Paragraphs; one that is indented is a table and keeps its lines. */
static void add_about(struct strbuf *out, const char *about)
{
    while (*about) {
        const char *end = strstr(about, "\n\n");
        size_t length = end ? (size_t)(end + 1 - about) : strlen(about);
        scope(free_text) char *paragraph = strndup(about, length);
        bool table = *about == ' ';
        if (!paragraph)
            out->failed = true;
        strbuf_adds(out, table ? ".Bd -literal\n" : "");
        add_text(out, paragraph ? paragraph : "");
        strbuf_adds(out, table ? ".Ed\n" : end && end[2] != ' ' ? ".Pp\n" : "");
        about += length + (end != NULL);
    }
}

static void add_option(struct strbuf *out, const struct option_spec *row)
{
    strbuf_adds(out, ".It ");
    if (row->letter)
        strbuf_addf(out, "Fl %c , ", row->letter);
    strbuf_addf(out, "Fl \\-%s", row->name);
    if (row->argument)
        strbuf_addf(out, row->kind == OPTION_WAIT ? " Ns Op = Ns Ar %s" : " Ar %s", row->argument);
    strbuf_addc(out, '\n');
    add_text(out, row->help);
    strbuf_addc(out, '\n');
}

static void add_command(struct strbuf *out, const struct command *command)
{
    strbuf_addf(out, ".Ss %s\n", command->name);
    add_about(out, command->about);
    if (command->option_count) {
        strbuf_adds(out, ".Bl -tag -width Ds\n");
        for (size_t i = 0; i < command->option_count; i++)
            add_option(out, &command->options[i]);
        strbuf_adds(out, ".El\n");
    }
    strbuf_adds(out, ".Pp\nExample:\n.Dl ");
    add_text(out, command->example);
    strbuf_adds(out, "\n.Pp\nExit status:");
    for (const char *digit = command->statuses; *digit; digit++)
        strbuf_addf(out, "%s %c", digit == command->statuses ? "" : ",", *digit);
    strbuf_adds(out, ".\n");
}

static void add_commands(struct strbuf *out)
{
    for (size_t i = 0; i < command_count; i++)
        if (!commands[i]->hidden)
            add_command(out, commands[i]);
}

static void add_statuses(struct strbuf *out)
{
    for (size_t i = 0; i < status_count; i++) {
        strbuf_addf(out, ".It %d\n", statuses[i].status);
        add_text(out, statuses[i].help);
        strbuf_addc(out, '\n');
    }
}

int main(void)
{
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;
    char line[1024];

    while (fgets(line, sizeof line, stdin)) {
        if (strcmp(line, "@synopsis\n") == 0)
            add_synopsis(&out);
        else if (strcmp(line, "@commands\n") == 0)
            add_commands(&out);
        else if (strcmp(line, "@statuses\n") == 0)
            add_statuses(&out);
        else
            strbuf_adds(&out, line);
    }
    bool failed = ferror(stdin) || out.failed || fputs(strbuf_text(&out), stdout) < 0;
    return failed || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
