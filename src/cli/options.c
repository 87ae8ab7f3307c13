#include "cli/cli.h"

#include "base/env.h"
#include "base/scope.h"
#include "base/suggest.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

enum kind { KIND_TEXT, KIND_FLAG, KIND_SECONDS, KIND_HELP };

/* One row per option of any command. Letters above '~' have no short form. */
enum { DRIVER = 128, TIMEOUT, TEMPLATE_DIR, CHECK, JSON, ADOPT, REPLACE, FORCE };

static const struct row {
    int letter;
    const char *name;
    char tag; /* in command.options */
    enum kind kind;
    size_t offset;
} rows[] = {
    {'f', "file", 'f', KIND_TEXT, offsetof(struct options, file)},
    {'n', "name", 'n', KIND_TEXT, offsetof(struct options, name)},
    {'p', "prefix", 'p', KIND_TEXT, offsetof(struct options, prefix)},
    {'d', "dry-run", 'd', KIND_FLAG, offsetof(struct options, dry_run)},
    {CHECK, "check", 'c', KIND_FLAG, offsetof(struct options, check)},
    {'q', "quiet", 'q', KIND_FLAG, offsetof(struct options, quiet)},
    {'v', "verbose", 'v', KIND_FLAG, offsetof(struct options, verbose)},
    {JSON, "json", 'j', KIND_FLAG, offsetof(struct options, json)},
    {ADOPT, "adopt", 'A', KIND_FLAG, offsetof(struct options, adopt)},
    {REPLACE, "replace", 'R', KIND_FLAG, offsetof(struct options, replace)},
    {FORCE, "force", 'F', KIND_FLAG, offsetof(struct options, force)},
    {DRIVER, "driver", 'D', KIND_TEXT, offsetof(struct options, driver)},
    {TIMEOUT, "timeout", 'T', KIND_SECONDS, offsetof(struct options, timeout)},
    {TEMPLATE_DIR, "template-dir", 't', KIND_TEXT, offsetof(struct options, template_dir)},
    {'h', "help", 'h', KIND_HELP, 0},
};

enum { ROWS = sizeof rows / sizeof *rows, LONGEST_TIMEOUT = 86400 };

static bool takes_value(const struct row *row)
{
    return row->kind == KIND_TEXT || row->kind == KIND_SECONDS;
}

static int set_option(struct options *options, const struct row *row, const char *value,
                      struct error *err)
{
    void *target = (char *)options + row->offset;
    unsigned long seconds;

    if (row->kind == KIND_FLAG) {
        *(bool *)target = true;
    } else if (row->kind == KIND_TEXT && !*value) {
        return error_add(err, STATUS_INPUT, "--%s: found nothing; a value is needed", row->name);
    } else if (row->kind == KIND_TEXT) {
        *(const char **)target = value;
    } else if (!number_parse(value, &seconds) || !seconds || seconds > LONGEST_TIMEOUT) {
        return error_add(err, STATUS_INPUT, "--%s: found '%s'; accepted: seconds, 1 to %d",
                         row->name, value, LONGEST_TIMEOUT);
    } else {
        *(unsigned *)target = (unsigned)seconds;
    }
    return 0;
}

struct accepted {
    const struct row *rows[ROWS];
    const char *names[ROWS];
    struct option longs[ROWS + 1];
    char shorts[3 * ROWS + 2];
    size_t count;
};

/* getopt_long's tables for one command. */
static void accept(struct accepted *accepted, const struct command *command)
{
    char *letter = accepted->shorts;

    *accepted = (struct accepted){0};
    *letter++ = ':';
    for (size_t i = 0; i < ROWS; i++) {
        if (!strchr(command->options, rows[i].tag) && rows[i].kind != KIND_HELP)
            continue;
        int value = takes_value(&rows[i]) ? required_argument : no_argument;
        accepted->rows[accepted->count] = &rows[i];
        accepted->names[accepted->count] = rows[i].name;
        accepted->longs[accepted->count++] =
            (struct option){rows[i].name, value, NULL, rows[i].letter};
        if (rows[i].letter < DRIVER) {
            *letter++ = (char)rows[i].letter;
            if (value == required_argument)
                *letter++ = ':';
        }
    }
}

static const struct row *find_row(const struct accepted *accepted, int letter)
{
    for (size_t i = 0; i < accepted->count; i++)
        if (accepted->rows[i]->letter == letter)
            return accepted->rows[i];
    return NULL;
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

static void unknown_option(const struct command *command, const struct accepted *accepted,
                           const char *text, struct error *err)
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
                  command->name);
    if (fitting.failed)
        error_memory(err);
}

/* getopt_long leaves in optopt a short option's letter, also within a word of several, and a long
   one's where it is known but has a value too many or too few; else 0. */
static void wrong_option(const struct command *command, const struct accepted *accepted,
                         bool lacks_value, const char *word, struct error *err)
{
    const char single[] = {'-', (char)optopt, '\0'};
    const struct row *row = optopt ? find_row(accepted, optopt) : NULL;

    if (lacks_value)
        error_add(err, STATUS_INPUT, "%s: a value is needed",
                  strncmp(word, "--", 2) == 0 ? word : single);
    else if (row)
        error_add(err, STATUS_INPUT, "--%s takes no value", row->name);
    else
        unknown_option(command, accepted, optopt ? single : word, err);
}

static void apply_environment(struct options *options)
{
    if (!options->driver && !getauxval(AT_SECURE))
        options->driver = env_get_filled(options->env, "CONDA_GPU_DRIVER");
    if (getauxval(AT_SECURE))
        options->driver = options->template_dir = NULL;
}

/* What an argument that is no option may have been meant as. */
static const char *instead_of_arguments(const struct command *command)
{
    if (strchr(command->options, 'f'))
        return "a file is named with -f, an environment with -n or -p";
    if (strchr(command->options, 'n'))
        return "an environment is named with -n or -p";
    return "only options are accepted here";
}

static void check_combinations(const struct options *options, struct error *err)
{
    if (options->name && options->prefix)
        error_add(err, STATUS_INPUT, "-n and -p both name an environment; give one of them");
    if (options->quiet && options->verbose)
        error_add(err, STATUS_INPUT, "-q and -v contradict each other; give one of them");
    if (options->adopt && options->replace)
        error_add(err, STATUS_INPUT,
                  "--adopt and --replace contradict each other; give one of them");
    if (options->check && options->dry_run)
        error_add(err, STATUS_INPUT, "--check and --dry-run: give one of them");
}

enum parsed options_parse(struct options *options, const struct command *command, int argc,
                          char **argv, struct error *err)
{
    struct accepted accepted;
    int letter;

    accept(&accepted, command);
    opterr = 0;
    optind = 1;
    while ((letter = getopt_long(argc, argv, accepted.shorts, accepted.longs, NULL)) != -1) {
        const struct row *row = find_row(&accepted, letter);
        if (row && row->kind == KIND_HELP)
            return PARSED_HELP;
        if (row)
            set_option(options, row, optarg, err);
        else
            wrong_option(command, &accepted, letter == ':', argv[optind - 1], err);
    }
    for (int i = optind; i < argc; i++)
        error_add(err, STATUS_INPUT, "unexpected argument '%s'; %s", argv[i],
                  instead_of_arguments(command));
    check_combinations(options, err);
    apply_environment(options);
    return err->status == STATUS_DONE ? PARSED_RUN : PARSED_WRONG;
}
