#include "cli/cli.h"

#include "base/scope.h"
#include "export/export.h"
#include "gpu/cards.h"

#include <string.h>

enum { PATIENCE = 2 }; /* seconds for NVML: somebody waits at a prompt */

/* A command line up to the cursor: what was said already, and the word there. */
struct line {
    const struct options *options;
    char *const *words;
    size_t count; /* without the word at the cursor */
    const char *word;
    const struct command *command;      /* NULL: none yet */
    const struct option_spec *awaiting; /* the option whose value is at the cursor */
    size_t first_argument;              /* among the words; `count` where there is none yet */
    bool only_arguments;                /* after -- */
    const char *kept;                   /* what of the word stays before what is offered */
    size_t kept_length;
    struct strbuf *out;
};

static void offer(struct line *line, const char *text, const char *about)
{
    size_t begun = strlen(line->word);

    if (strncmp(text, line->word, begun) == 0 && !strpbrk(text, "\t\n"))
        strbuf_addf(line->out, "%.*s%s\t%s\n", (int)line->kept_length, line->kept, text, about);
}

/* ---- What is offered ------------------------------------------------------------------------- */

static void offer_commands(struct line *line)
{
    for (size_t i = 0; i < command_count; i++)
        if (!commands[i]->hidden)
            offer(line, commands[i]->name, commands[i]->summary);
}

static void offer_topics(struct line *line)
{
    if (line->first_argument < line->count)
        return;
    offer_commands(line);
    offer(line, "gpu", "how the gpu: section is written");
}

static void offer_options(struct line *line)
{
    for (size_t i = 0; line->command && i < line->command->option_count; i++) {
        scope(strbuf_release) struct strbuf name = STRBUF_INIT;
        strbuf_addf(&name, "--%s", line->command->options[i].name);
        offer(line, strbuf_text(&name), line->command->options[i].help);
    }
    offer(line, "--help", "what there is to know");
}

static void offer_environments(struct line *line)
{
    scope(names_release) struct names names = {0};

    find_names(&names, line->options->env);
    for (size_t i = 0; i < names.count; i++)
        offer(line, names.items[i], "environment");
}

/* What is left is another command's line, which the shell completes. */
static void offer_command_line(struct line *line)
{
    strbuf_addf(line->out, ":command %zu\n", line->first_argument);
}

static bool is_in_list(const char *list, size_t length, const char *item)
{
    for (const char *at = list, *end = list + length; at < end; at += strcspn(at, ",") + 1)
        if (strcspn(at, ",") == strlen(item) && strncmp(at, item, strlen(item)) == 0)
            return true;
    return false;
}

static void offer_card(struct line *line, const char *list, size_t length, const struct card *card)
{
    char number[16], memory[MEMORY_TEXT_SIZE], uuid[UUID_TEXT_SIZE], about[512];
    const struct device *device = &card->device;

    snprintf(number, sizeof number, "%u", device->number);
    uuid_text(device, uuid);
    snprintf(about, sizeof about, "%s, %s", device->name, memory_text(device->memory, memory));
    if (card->problem || is_in_list(list, length, number) || is_in_list(list, length, uuid))
        return;
    offer(line, number, about);
    if (*line->word)
        offer(line, uuid, about);
}

/* A list with commas; UUIDs only where one has begun. */
static void offer_gpus(struct line *line)
{
    const char *list = line->word, *comma = strrchr(list, ',');
    size_t length = comma ? (size_t)(comma + 1 - list) : 0;
    const struct question question = {.driver = line->options->driver, .timeout = PATIENCE};
    scope(cards_release) struct card_list cards = {0};
    scope(error_release) struct error unseen = ERROR_INIT;

    if (cards_read(&cards, &question, &unseen) < 0)
        return;
    line->word += length;
    line->kept_length += length;
    for (size_t i = 0; i < cards.count; i++)
        offer_card(line, list, length, &cards.items[i]);
}

static void offer_formats(struct line *line)
{
    for (size_t i = 0; i < format_count; i++)
        offer(line, formats[i]->name, "format");
}

static void offer_preferences(struct line *line)
{
    offer(line, "last", "the GPUs that you had last");
    offer(line, "cool", "the coolest");
    offer(line, "empty", "those with the least memory in use");
}

/* By what the tables call a value, or what a command takes beside options. */
static const struct kind {
    const char *argument;
    void (*offer)(struct line *line);
    const char *instead; /* NULL, too: nothing is offered */
} kinds[] = {
    {"FILE", NULL, ":files\n"}, /* the shell completes their names; ':' begins no word */
    {"PATH", NULL, ":files\n"},
    {"DIR", NULL, ":folders\n"},
    {"PREFIX", NULL, ":folders\n"},
    {"NAME", offer_environments, NULL},
    {"LIST", offer_gpus, NULL},
    {"FORMAT", offer_formats, NULL},
    {"WHICH", offer_preferences, NULL},
    {"SECONDS", NULL, NULL},
    {"N", NULL, NULL},
    {"SIZE", NULL, NULL},
    {"USER", NULL, NULL},
    {"HOST", NULL, NULL},
    {"[COMMAND | gpu]", offer_topics, NULL},
    {"WORD...", NULL, NULL},
    {"COMMAND [ARG...]", offer_command_line, NULL},
};

static const struct kind *find_kind(const char *argument)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].argument, argument) == 0)
            return &kinds[i];
    return NULL;
}

bool complete_knows(const char *argument)
{
    return find_kind(argument);
}

static void offer_kind(struct line *line, const char *argument)
{
    const struct kind *kind = find_kind(argument);

    if (kind && kind->offer)
        kind->offer(line);
    else if (kind && kind->instead)
        strbuf_adds(line->out, kind->instead);
}

/* ---- What was said already ------------------------------------------------------------------- */

static void read_word(struct line *line, size_t at)
{
    const char *word = line->words[at];
    bool is_option = word[0] == '-' && word[1] && !line->only_arguments;

    if (line->awaiting && strcmp(word, "=") == 0) /* bash makes three words of --name=pt */
        return;
    if (line->awaiting) {
        line->awaiting = NULL;
    } else if (is_option && strcmp(word, "--") == 0) {
        line->only_arguments = line->command != NULL;
    } else if (is_option) {
        line->awaiting = options_takes_next(line->command, word);
    } else if (!line->command) {
        scope(error_release) struct error unseen = ERROR_INIT;
        line->command = command_find(word, &unseen);
    } else if (line->first_argument == line->count) {
        line->first_argument = at;
    }
}

static void read_line(struct line *line)
{
    for (size_t i = 0; i < line->count; i++)
        read_word(line, i);
    const char *equals = strncmp(line->word, "--", 2) == 0 ? strchr(line->word, '=') : NULL;
    if (line->awaiting && strcmp(line->word, "=") == 0) {
        line->word++;
    } else if (equals && !line->only_arguments) {
        scope(free_text) char *name = strndup(line->word, (size_t)(equals - line->word));
        line->awaiting = name ? options_takes_next(line->command, name) : NULL;
        line->kept_length = (size_t)(equals + 1 - line->word);
        line->word = equals + 1;
    }
}

static void complete(struct line *line)
{
    const struct command *command = line->command;
    bool handed_on = command && command->arguments && line->first_argument < line->count;
    bool is_option = line->word[0] == '-' && !line->only_arguments && !handed_on;

    if (line->awaiting)
        offer_kind(line, line->awaiting->argument);
    else if (is_option || (command && !command->arguments))
        offer_options(line);
    else if (command)
        offer_kind(line, command->arguments);
    else
        offer_commands(line);
}

static int run(const struct options *options, struct error *err)
{
    size_t count = options->argument_count;
    scope(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct line line = {options, options->arguments, .word = "", .kept = "", .out = &out};

    (void)err;
    if (count) {
        line.count = line.first_argument = count - 1;
        line.word = line.kept = options->arguments[count - 1];
    }
    read_line(&line);
    complete(&line);
    cli_write(&out);
    return 0;
}

const struct command complete_command = {
    .name = "complete",
    .summary = "what may stand at the cursor, for the shells' completions",
    .hidden = true,
    .usage = "-- [WORD...]",
    .about = "Prints what the last word may become, given the words of a command line before it,\n"
             "without conda-gpu itself: a line for each, with a tab and what it means; or :files\n"
             "or :folders where it is one, or :command N where the line from word N on is\n"
             "another command's.\n",
    .example = PROGRAM " complete -- apply -n ''",
    .arguments = "WORD...",
    .statuses = "025",
    .run = run,
};
