#include "cli/cli.h"

#include "base/env.h"
#include "base/scope.h"
#include "base/suggest.h"
#include "section/item.h"

#include <getopt.h>
#include <string.h>
#include <sys/auxv.h>

enum {
    MOST_OPTIONS = 32, /* of a command */
    LONGEST_TIMEOUT = 86400,
    HELP = 255,  /* what getopt_long returns for --help; no letter */
    FIRST = 256, /* for the first row's long name, and so on */
};

/* getopt_long's tables for one command. */
struct accepted {
    const struct command *command;
    const char *names[MOST_OPTIONS + 1];
    struct option longs[MOST_OPTIONS + 2];
    char shorts[2 * MOST_OPTIONS + 4];
    size_t count;
};

static void accept(struct accepted *accepted, const struct command *command)
{
    char *letter = accepted->shorts;

    *accepted = (struct accepted){.command = command};
    if (command->hands_on)
        *letter++ = '+';
    *letter++ = ':';
    *letter++ = 'h';
    accepted->names[accepted->count] = "help";
    accepted->longs[accepted->count++] = (struct option){"help", no_argument, NULL, HELP};
    for (size_t i = 0; i < command->option_count && accepted->count <= MOST_OPTIONS; i++) {
        const struct option_spec *row = &command->options[i];
        int value = row->kind == OPTION_WAIT ? optional_argument
                    : row->argument          ? required_argument
                                             : no_argument;
        accepted->names[accepted->count] = row->name;
        accepted->longs[accepted->count++] =
            (struct option){row->name, value, NULL, FIRST + (int)i};
        if (row->letter)
            *letter++ = row->letter;
        if (row->letter && row->argument)
            *letter++ = ':';
    }
}

static const struct option_spec *find_row(const struct command *command, int found)
{
    if (!command->options)
        return NULL;
    if (found >= FIRST)
        return &command->options[found - FIRST];
    for (size_t i = 0; found && i < command->option_count; i++)
        if (command->options[i].letter == found)
            return &command->options[i];
    return NULL;
}

static void set_option(struct options *options, const struct option_spec *row, const char *value,
                       struct error *err)
{
    void *target = (char *)options + row->target;
    unsigned long seconds;

    if (row->kind == OPTION_FLAG) {
        *(bool *)target = true;
    } else if (!value) {
        *(unsigned *)target = OPTION_FOR_EVER;
    } else if (row->kind == OPTION_TEXT && !*value) {
        error_add(err, STATUS_INPUT, "--%s: found nothing; a value is needed", row->name);
    } else if (row->kind == OPTION_TEXT) {
        *(const char **)target = value;
    } else if (!number_parse(value, &seconds) || !seconds || seconds > LONGEST_TIMEOUT) {
        error_add(err, STATUS_INPUT, "--%s: found '%s'; accepted: seconds, 1 to %d", row->name,
                  value, LONGEST_TIMEOUT);
    } else {
        *(unsigned *)target = (unsigned)seconds;
    }
}

static bool is_given(const struct options *options, const struct option_spec *row)
{
    const void *target = (const char *)options + row->target;

    if (row->kind == OPTION_TEXT)
        return *(const char *const *)target != NULL;
    return row->kind == OPTION_FLAG ? *(const bool *)target : *(const unsigned *)target != 0;
}

/* Adds the names that begin so, and counts them. */
static size_t list_fitting(struct strbuf *fitting, const struct accepted *accepted,
                           const char *name)
{
    size_t length = strcspn(name, "="), fits = 0;

    for (size_t i = 0; length && i < accepted->count; i++)
        if (strncmp(accepted->names[i], name, length) == 0)
            strbuf_addf(fitting, "%s--%s", fits++ ? " or " : "", accepted->names[i]);
    return fits;
}

static void unknown_option(const struct accepted *accepted, const char *text, struct error *err)
{
    scope(strbuf_release) struct strbuf fitting = STRBUF_INIT;
    bool is_long = strncmp(text, "--", 2) == 0;
    const char *near = is_long ? suggest(text + 2, accepted->names, accepted->count) : NULL;

    if (is_long && list_fitting(&fitting, accepted, text + 2) > 1)
        error_add(err, STATUS_INPUT, "'%s' may be %s; write more of it", text,
                  strbuf_text(&fitting));
    else if (near)
        error_add(err, STATUS_INPUT, "unknown option '%s'; did you mean '--%s'?", text, near);
    else
        error_add(err, STATUS_INPUT, "unknown option '%s'; 'conda-gpu %s --help' lists them", text,
                  accepted->command->name);
    if (fitting.failed)
        error_memory(err);
}

/* getopt_long leaves in optopt a short option's letter, also within a word of several, and a long
   one's value where it is known but has an argument too many or too few; else 0. */
static void wrong_option(const struct accepted *accepted, bool lacks_value, const char *word,
                         struct error *err)
{
    const char single[] = {'-', (char)optopt, '\0'};
    const struct option_spec *row = find_row(accepted->command, optopt);

    if (lacks_value)
        error_add(err, STATUS_INPUT, "%s: a value is needed",
                  strncmp(word, "--", 2) == 0 ? word : single);
    else if (row || optopt == HELP)
        error_add(err, STATUS_INPUT, "--%s takes no value", row ? row->name : "help");
    else
        unknown_option(accepted, optopt ? single : word, err);
}

/* An option that excludes another which was given as well. */
static void check_combinations(const struct options *options, const struct command *command,
                               struct error *err)
{
    for (size_t i = 0; i < command->option_count; i++) {
        const struct option_spec *row = &command->options[i];
        if (!row->excludes || !is_given(options, row))
            continue;
        for (size_t k = 0; k < command->option_count; k++)
            if (strcmp(command->options[k].name, row->excludes) == 0 &&
                is_given(options, &command->options[k]))
                error_add(err, STATUS_INPUT, "--%s and --%s exclude each other; give one of them",
                          row->excludes, row->name);
    }
}

static void use_environment(struct options *options)
{
    if (getauxval(AT_SECURE))
        options->driver = options->template_dir = NULL;
    else if (!options->driver)
        options->driver = env_get_filled(options->env, "CONDA_GPU_DRIVER");
}

/* 'COMMAND --help' is 'help COMMAND'. */
static int ask_help(struct options *options, char **command)
{
    options->command = &help_command;
    options->arguments = command;
    options->argument_count = 1;
    options->json = false;
    return 0;
}

/* argv[0] is the command's name. */
static int parse(struct options *options, int argc, char **argv, struct error *err)
{
    const struct command *command = options->command;
    struct accepted accepted;
    int found;

    accept(&accepted, command);
    opterr = 0;
    optind = 0; /* also getopt's own state begins anew */
    while ((found = getopt_long(argc, argv, accepted.shorts, accepted.longs, NULL)) != -1) {
        const struct option_spec *row = find_row(command, found);
        if (found == 'h' || found == HELP)
            return ask_help(options, argv);
        if (row)
            set_option(options, row, optarg, err);
        else
            wrong_option(&accepted, found == ':', argv[optind - 1], err);
    }
    options->arguments = argv + optind;
    options->argument_count = (size_t)(argc - optind);
    for (int i = optind; i < argc && !command->arguments; i++)
        error_add(err, STATUS_INPUT, "unexpected argument '%s'; %s", argv[i], command->instead);
    check_combinations(options, command, err);
    use_environment(options);
    return err->status == STATUS_DONE ? 0 : -1;
}

const struct option_spec *options_takes_next(const struct command *command, const char *word)
{
    const struct option_spec *any = NULL;

    for (size_t i = 0; !command && i < command_count && !any; i++)
        any = options_takes_next(commands[i], word);
    if (!command)
        return any;
    for (const char *letter = word + 1; *letter && word[1] != '-'; letter++) {
        const struct option_spec *row = find_row(command, *letter);
        if (row && row->argument)
            return letter[1] ? NULL : row;
    }
    for (size_t i = 0; word[1] == '-' && i < command->option_count; i++)
        if (command->options[i].argument && command->options[i].kind != OPTION_WAIT &&
            strstr(command->options[i].name, word + 2) == command->options[i].name)
            return &command->options[i];
    return NULL;
}

/* The index of the command, the first argument that belongs to no option; argc where there is
   none. */
static int find_command(int argc, char **argv)
{
    int at = 1;

    for (; at < argc && argv[at][0] == '-' && argv[at][1]; at++) {
        if (strcmp(argv[at], "--") == 0)
            return at + 1;
        at += options_takes_next(NULL, argv[at]) != NULL;
    }
    return at < argc ? at : argc;
}

static bool is_one_of(const char *word, const char *letter, const char *name)
{
    return strcmp(word, letter) == 0 || strcmp(word, name) == 0;
}

int options_parse(struct options *options, int argc, char **argv, struct error *err)
{
    int at = find_command(argc, argv);

    for (int i = 1; i < at; i++) {
        if (is_one_of(argv[i], "-V", "--version"))
            return options->command = &version_command, 0;
        if (is_one_of(argv[i], "-h", "--help") && at == argc)
            return options->command = &help_command, 0;
    }
    if (at == argc)
        return error_add(err, STATUS_INPUT, "no command is given; see conda-gpu --help");
    options->command = command_find(argv[at], err);
    if (!options->command)
        return -1;
    argv[0] = argv[at];
    memmove(&argv[at], &argv[at + 1], (size_t)(argc - at) * sizeof *argv);
    return parse(options, argc - 1, argv, err);
}
