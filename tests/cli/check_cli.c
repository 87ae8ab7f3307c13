/*
 * The command line itself: commands, options, help, streams and colour. Files, environments, the
 * driver and what apply writes have check_cli_*.c of their own.
 */
#include "support/sandboxed.h"

#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_up(void)
{
    sandbox_write(&box, "environment.yml", "name: pt\ngpu:\n  devices: 1\n");
}

/* Runs a script in which conda-gpu is "$CONDA_GPU", and the environment pt is at "$PT". */
static struct outcome run_script(const char *script, const char *variable)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    char home[128], program[4096], driver[4096], pt[128], *fake = fake_driver();
    const char *const env[] = {
        "PATH=/usr/local/bin:/usr/bin:/bin", home, program, driver, pt, variable, NULL};

    snprintf(home, sizeof home, "HOME=%s/home", box.root);
    snprintf(program, sizeof program, "CONDA_GPU=%s", getenv("CONDA_GPU"));
    snprintf(driver, sizeof driver, "CONDA_GPU_DRIVER=%s", fake);
    snprintf(pt, sizeof pt, "PT=%s/envs/pt", box.root);
    free(fake);
    return sandbox_run(&box, argv, env, NULL);
}

/* The command line is wrong: one case per cause. */

static const struct mistake {
    const char *arguments[6];
    const char *message;
} mistakes[] = {
    {{"aply"}, "unknown command 'aply'; did you mean 'apply'?\n"},
    {{"device"}, "unknown command 'device'; did you mean 'devices'?\n"},
    {{"REMOVE"}, "unknown command 'REMOVE'; did you mean 'remove'?\n"},
    {{"install"},
     "unknown command 'install'; known: apply, exec, export, status, devices, remove, help, "
     "version; see "
     "conda-gpu "
     "--help\n"},
    {{""},
     "unknown command ''; known: apply, exec, export, status, devices, remove, help, version; see "
     "conda-gpu --help\n"},
    {{"\033[31m"},
     "unknown command '\\x1b[31m'; known: apply, exec, export, status, devices, remove, help, "
     "version; see "
     "conda-gpu "
     "--help\n"},
    {{"apply", "--chek"}, "unknown option '--chek'; did you mean '--check'?\n"},
    {{"apply", "--pefix", "x"},
     "unknown option '--pefix'; did you mean '--prefix'?\n"
     "unexpected argument 'x'; a file is named with -f, an environment with -n or -p\n"},
    {{"apply", "--everything"},
     "unknown option '--everything'; 'conda-gpu apply --help' lists them\n"},
    {{"apply", "-z"}, "unknown option '-z'; 'conda-gpu apply --help' lists them\n"},
    {{"apply", "-dz"}, "unknown option '-z'; 'conda-gpu apply --help' lists them\n"},
    {{"version", "--json"}, "unknown option '--json'; 'conda-gpu version --help' lists them\n"},
    {{"devices", "-n", "pt"},
     "unknown option '-n'; 'conda-gpu devices --help' lists them\n"
     "unexpected argument 'pt'; only options are accepted here\n"},
    {{"devices", "extra"}, "unexpected argument 'extra'; only options are accepted here\n"},
    {{"remove", "pt"}, "unexpected argument 'pt'; an environment is named with -n or -p\n"},
    {{"remove", "--check"}, "unknown option '--check'; 'conda-gpu remove --help' lists them\n"},
    {{"remove", "-f", "environment.yml"},
     "unknown option '-f'; 'conda-gpu remove --help' lists them\n"
     "unexpected argument 'environment.yml'; an environment is named with -n or -p\n"},
    {{"apply", "--d"}, "'--d' may be --dry-run or --diff or --driver; write more of it\n"},
    {{"apply", "--t=1"}, "'--t=1' may be --timeout or --template-dir; write more of it\n"},
    {{"apply", "--force", "-xq"}, "unknown option '-x'; 'conda-gpu apply --help' lists them\n"},
    {{"apply", "--check", "-qx"}, "unknown option '-x'; 'conda-gpu apply --help' lists them\n"},
    {{"apply", "--force", "-xyq"},
     "unknown option '-x'; 'conda-gpu apply --help' lists them\n"
     "unknown option '-y'; 'conda-gpu apply --help' lists them\n"},
    {{"apply", "-qf"}, "-f: a value is needed\n"},
    {{"apply", "--qui=1"}, "--quiet takes no value\n"},
    {{"--dry-run"}, "no command is given; see conda-gpu --help\n"},
    {{"-n", "apply"}, "no command is given; see conda-gpu --help\n"},
    {{"--driver", "apply"}, "no command is given; see conda-gpu --help\n"},
    {{"--json", "version"}, "unknown option '--json'; 'conda-gpu version --help' lists them\n"},
    {{"-qz", "apply"}, "unknown option '-z'; 'conda-gpu apply --help' lists them\n"},
    {{"help", "aply"}, "unknown command 'aply'; did you mean 'apply'?\n"},
    {{"help", "apply", "gpu"},
     "help tells about one command at a time; see conda-gpu help apply\n"},
    {{"version", "x"}, "unexpected argument 'x'; it takes none\n"},
    {{"-"},
     "unknown command '-'; known: apply, exec, export, status, devices, remove, help, version; see "
     "conda-gpu --help\n"},
    {{"apply", "--quiet=1"}, "--quiet takes no value\n"},
    {{"apply", "--check=yes"}, "--check takes no value\n"},
    {{"apply", "-f"}, "-f: a value is needed\n"},
    {{"apply", "--name"}, "--name: a value is needed\n"},
    {{"apply", "--driver"}, "--driver: a value is needed\n"},
    {{"apply", "-n", ""}, "--name: found nothing; a value is needed\n"},
    {{"apply", "--prefix="}, "--prefix: found nothing; a value is needed\n"},
    {{"apply", "--timeout", "0"}, "--timeout: found '0'; accepted: seconds, 1 to 86400\n"},
    {{"apply", "--timeout", "-1"}, "--timeout: found '-1'; accepted: seconds, 1 to 86400\n"},
    {{"apply", "--timeout", "1.5"}, "--timeout: found '1.5'; accepted: seconds, 1 to 86400\n"},
    {{"apply", "--timeout", "86401"}, "--timeout: found '86401'; accepted: seconds, 1 to 86400\n"},
    {{"devices", "--timeout=soon"}, "--timeout: found 'soon'; accepted: seconds, 1 to 86400\n"},
    {{"remove", "--timeout", "99999999999999999999"},
     "--timeout: found '99999999999999999999'; accepted: seconds, 1 to 86400\n"},
    {{"apply", "pt"},
     "unexpected argument 'pt'; a file is named with -f, an environment with -n or -p\n"},
    {{"apply", "--", "-q"},
     "unexpected argument '-q'; a file is named with -f, an environment with -n or -p\n"},
    {{"apply", "-n", "pt", "-p", "envs/pt"},
     "--name and --prefix exclude each other; give one of them\n"},
    {{"remove", "-n", "pt", "-p", "envs/pt"},
     "--name and --prefix exclude each other; give one of them\n"},
    {{"apply", "-q", "-v"}, "--quiet and --verbose exclude each other; give one of them\n"},
    {{"apply", "--adopt", "--replace"},
     "--adopt and --replace exclude each other; give one of them\n"},
    {{"apply", "--chek", "--timeout", "x", "a"},
     "unknown option '--chek'; did you mean '--check'?\n"
     "--timeout: found 'x'; accepted: seconds, 1 to 86400\n"
     "unexpected argument 'a'; a file is named with -f, an environment with -n or -p\n"},
};

START_TEST(a_mistake)
{
    const struct mistake *mistake = &mistakes[_i];
    const char *const *a = mistake->arguments;

    struct outcome got = conda_gpu(&box, NULL, a[0], a[1], a[2], a[3], a[4], a[5], NULL);
    ck_assert_str_eq(got.err, mistake->message);
    ck_assert_str_eq(got.out, "");
    ck_assert_int_eq(got.status, 2);
    ck_assert(!sandbox_has(&box, "envs/pt/etc"));
    outcome_free(&got);
}
END_TEST

START_TEST(no_command)
{
    struct outcome got = conda_gpu(&box, NULL, NULL), help = conda_gpu(&box, NULL, "--help", NULL);

    ck_assert_str_eq(got.err, help.out);
    ck_assert_str_eq(got.out, "");
    ck_assert_int_eq(got.status, 2);
    outcome_free(&got);
    outcome_free(&help);
}
END_TEST

static const char *const versions[] = {"--version", "-V", "version"};

START_TEST(version)
{
    struct outcome got = conda_gpu(&box, NULL, versions[_i], NULL);

    ck_assert_int_eq(got.status, 0);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(strncmp(got.out, "conda-gpu ", 10), 0);
    ck_assert_uint_eq(strspn(got.out + 10, "0123456789."), got.out_length - 11);
    ck_assert_int_eq(got.out[got.out_length - 1], '\n');
    outcome_free(&got);
}
END_TEST

/* Help: one screen, an example at its end, what the program takes, and the exit statuses. */

/* What only the tables of the commands tell is in the test of these. */
static const struct help {
    const char *command;
    const char *holds[8];
} helps[] = {
    {NULL, {"apply ", "export ", "remove ", "help gpu", "1  --check found", "5  the system"}},
    {"apply",
     {"-f, --file FILE", "      --check ", "CONDA_GPU_DRIVER", "-h, --help", "4  the env"}},
    {"devices", {"--json", "CONDA_GPU_DRIVER", "3  the driver"}},
    {"exec",
     {"--gpus LIST", "-f, --file FILE", "other activation scripts do not run", "127", "6  others"}},
    {"export", {"--format FORMAT", "dotenv", "docker", "2  the command"}},
    {"status", {"-a, --all", "nvtop", "1  "}},
    {"remove", {"-n, --name NAME", "-p, --prefix PREFIX", "4  the env"}},
    {"help", {"help gpu"}},
    {"version", {"conda-gpu version"}},
    {"gpu", {"devices: [1, 3]", "min_memory", "if_no_gpu", "in_job", "prepend"}},
};

static void check_one_screen(const char *text)
{
    enum { LINES = 40, COLUMNS = 80 };
    int lines = 0;

    for (const char *line = text; *line; lines++) {
        size_t length = strcspn(line, "\n");
        ck_assert_msg(length <= COLUMNS, "%zu columns: %.*s", length, (int)length, line);
        ck_assert_msg(!length || line[length - 1] != ' ', "a space ends: %.*s", (int)length, line);
        ck_assert_int_eq(line[length], '\n');
        line += length + 1;
    }
    ck_assert_int_le(lines, LINES);
}

/* The last paragraph is "Example:" and commands with conda-gpu, indented. */
static void check_example(const char *text)
{
    const char *last = strstr(text, "\n\nExample");

    ck_assert_msg(last && !strstr(last + 2, "\n\n"), "no example at the end: %s", text);
    ck_assert_ptr_nonnull(strstr(last, "\n  conda"));
    ck_assert_ptr_nonnull(strstr(last, "conda-gpu "));
}

START_TEST(help_text)
{
    const struct help *help = &helps[_i];

    struct outcome got = conda_gpu(&box, NULL, "help", help->command, NULL);
    ck_assert_int_eq(got.status, 0);
    ck_assert_str_eq(got.err, "");
    check_one_screen(got.out);
    check_example(got.out);
    for (size_t i = 0; help->holds[i]; i++)
        ck_assert_msg(strstr(got.out, help->holds[i]) != NULL, "help lacks '%s'", help->holds[i]);
    outcome_free(&got);
}
END_TEST

/* The ways in which people ask for help, each beside the one of `help COMMAND`. */
static const char *const asked[][4] = {{"--help"},
                                       {"-h"},
                                       {"apply", "apply", "--help"},
                                       {"apply", "apply", "-h"},
                                       {"apply", "--help", "apply"},
                                       {"apply", "-h", "apply"},
                                       {"apply", "apply", "-qh"},
                                       {"remove", "remove", "--he"}};

START_TEST(help_is_asked_for)
{
    const char *const *words = asked[_i];
    bool of_program = words[0][0] == '-';

    struct outcome help = conda_gpu(&box, NULL, "help", of_program ? NULL : words[0], NULL);
    struct outcome got = of_program ? conda_gpu(&box, NULL, words[0], NULL)
                                    : conda_gpu(&box, NULL, words[1], words[2], NULL);
    ck_assert_str_eq(got.out, help.out);
    ck_assert_int_eq(got.status, 0);
    outcome_free(&help);
    outcome_free(&got);
}
END_TEST

START_TEST(help_needs_nothing)
{
    struct outcome got = conda_gpu(&box, NULL, "apply", "-f", "missing.yml", "--help", NULL);

    ck_assert_int_eq(got.status, 0);
    ck_assert_int_eq(strncmp(got.out, "Usage: conda-gpu apply", 22), 0);
    outcome_free(&got);
}
END_TEST

/* Every row of the tables is complete, and the help shows it. */
START_TEST(tables)
{
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = commands[i];
        struct outcome got = conda_gpu(&box, NULL, "help", command->name, NULL);
        ck_assert(command->summary && command->usage && command->about && command->example);
        ck_assert_msg(!command->arguments == !!command->instead, "%s: arguments", command->name);
        ck_assert(!command->arguments || complete_knows(command->arguments));
        for (size_t k = 0; k < command->option_count; k++) {
            const struct option_spec *row = &command->options[k];
            char name[64];
            const char *between = row->kind == OPTION_WAIT ? "[=" : row->argument ? " " : "  ";
            snprintf(name, sizeof name, "--%s%s%s", row->name, between,
                     row->argument ? row->argument : "");
            ck_assert_msg(strstr(got.out, name) != NULL, "%s: no %s", command->name, name);
            ck_assert(row->help && (row->kind == OPTION_FLAG) == !row->argument);
            ck_assert(!row->argument || complete_knows(row->argument));
        }
        outcome_free(&got);
    }
}
END_TEST

static void check_letter(const struct command *command, char letter)
{
    char program[] = "conda-gpu", name[32], word[] = {'-', letter, '\0'}, wanted[128] = "";
    char *argv[] = {program, name, word, NULL};
    char *const env[] = {NULL};
    struct options options = {.env = env};
    struct error err = ERROR_INIT;
    const struct option_spec *row = NULL;

    snprintf(name, sizeof name, "%s", command->name);
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].letter == letter)
            row = &command->options[i];
    if (row && row->argument)
        snprintf(wanted, sizeof wanted, "%s: a value is needed\n", word);
    else if (!row && letter != 'h')
        snprintf(wanted, sizeof wanted, "unknown option '%s'; 'conda-gpu %s --help' lists them\n",
                 word, name);
    int parsed = options_parse(&options, 3, argv, &err);
    ck_assert_str_eq(error_text(&err), wanted);
    ck_assert_int_eq(parsed, *wanted ? -1 : 0);
    ck_assert_ptr_eq(options.command, letter == 'h' ? &help_command : command);
    if (row && !row->argument)
        ck_assert(*((const bool *)&options + row->target));
    error_release(&err);
}

/* Every letter that there is, and every that there is not. */
START_TEST(letters)
{
    for (size_t i = 0; i < command_count; i++)
        for (char letter = 'A'; letter <= 'z'; letter++)
            if (letter <= 'Z' || letter >= 'a')
                check_letter(commands[i], letter);
}
END_TEST

/* Options may stand before the command. */
static const char *const before[][5] = {
    {"-q", "apply", "-p", "envs/pt", "-d"},  {"-p", "envs/pt", "apply", "-d", "-q"},
    {"-penvs/pt", "-qd", "apply"},           {"--prefix", "envs/pt", "--timeout=5", "apply", "-d"},
    {"--pref=envs/pt", "-d", "apply", "-q"}, {"-dqp", "envs/pt", "apply"},
};

START_TEST(options_before)
{
    const char *const *a = before[_i];

    struct outcome got = conda_gpu(&box, NULL, a[0], a[1], a[2], a[3], a[4], NULL);
    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    ck_assert(!sandbox_has(&box, "envs/pt/etc"));
    outcome_free(&got);
}
END_TEST

/* Output that cannot be written is status 5, and harms no file. */

#define FULL   "cannot write to standard output: No space left on device\n"
#define CLOSED "cannot write to standard output: Bad file descriptor\n"

static const struct stream {
    const char *script;
    const char *err;
} streams[] = {
    {"\"$CONDA_GPU\" devices >/dev/full", FULL},
    {"\"$CONDA_GPU\" devices --json >/dev/full", FULL},
    {"\"$CONDA_GPU\" devices >&-", CLOSED},
    {"\"$CONDA_GPU\" apply -p \"$PT\" >/dev/full", FULL},
    {"\"$CONDA_GPU\" apply -p \"$PT\" >&-", CLOSED},
    {"\"$CONDA_GPU\" apply -p \"$PT\" <&- >&-", CLOSED},
    {"\"$CONDA_GPU\" apply -v -f long.yml -p \"$PT\" <&- >&-", CLOSED},
    {"\"$CONDA_GPU\" remove -p \"$PT\" <&- >&-", CLOSED},
    {"\"$CONDA_GPU\" --help >/dev/full", FULL},
    {"\"$CONDA_GPU\" --version >&-", CLOSED},
    {"\"$CONDA_GPU\" devices <&- >&- 2>&-", ""},
    {"\"$CONDA_GPU\" apply -p \"$PT\" <&- >&- 2>&-", ""},
};

START_TEST(broken_output)
{
    char text[20100];

    int start =
        snprintf(text, sizeof text, "gpu:\n  devices: 1\n  variables: {LONG: %020000d}\n", 0);
    ck_assert_int_lt(start, sizeof text);
    sandbox_write(&box, "long.yml", text);
    struct outcome got = run_script(streams[_i].script, NULL);
    size_t length = 1;
    char *history = sandbox_read(&box, "envs/pt/conda-meta/history", &length);

    ck_assert_str_eq(got.err, streams[_i].err);
    ck_assert_int_eq(got.status, 5);
    ck_assert_msg(length == 0, "conda-meta/history holds our output: %s", history);
    free(history);
    outcome_free(&got);
}
END_TEST

/* diff(1) writes to us, so that the reason is the same. */
static const struct stream diffs[] = {
    {"\"$CONDA_GPU\" apply -p \"$PT\" --diff >/dev/full", FULL},
    {"\"$CONDA_GPU\" apply -p \"$PT\" --diff >&-", CLOSED},
    {"\"$CONDA_GPU\" apply -p \"$PT\" --diff <&- >&-", CLOSED},
};

START_TEST(output_of_diff)
{
    struct outcome got = run_script(diffs[_i].script, NULL);

    ck_assert_int_eq(got.status, 5);
    ck_assert_str_eq(got.err, diffs[_i].err);
    outcome_free(&got);
}
END_TEST

/* Children are heard of also where the caller did not want to hear of its own. */
START_TEST(children_ignored)
{
    struct outcome got = run_script("/usr/bin/env --ignore-signal=CHLD PATH=/nowhere "
                                    "\"$CONDA_GPU\" apply --diff -p \"$PT\"",
                                    NULL);

    ck_assert_str_eq(got.err,
                     "changes are shown with diff(1), and there is none; install diffutils\n");
    ck_assert_int_eq(got.status, 5);
    outcome_free(&got);
}
END_TEST

/* A closed stdin, and a stderr that is closed or full, are nobody's business. */
static const char *const harmless[] = {
    "\"$CONDA_GPU\" apply -p \"$PT\" <&-",      "\"$CONDA_GPU\" apply -p \"$PT\" 2>&-",
    "\"$CONDA_GPU\" apply -p \"$PT\" <&- 2>&-", "\"$CONDA_GPU\" apply -p \"$PT\" 2>/dev/full",
    "\"$CONDA_GPU\" apply -p \"$PT\" -d <&-",   "\"$CONDA_GPU\" apply -q -p \"$PT\" >/dev/full",
};

START_TEST(harmless_stream)
{
    struct outcome got = run_script(harmless[_i], NULL);

    ck_assert_str_eq(got.err, "");
    ck_assert_int_eq(got.status, 0);
    outcome_free(&got);
}
END_TEST

/* As other programs do: the signal where it is not ignored, else an error. Nothing else is said. */
static const struct gone {
    const char *before, *status, *err;
} gone[] = {
    {"", "141\n", ""},
    {"trap '' PIPE;", "5\n", "cannot write to standard output: Broken pipe\n"},
};

START_TEST(reader_gone)
{
    char script[256];

    snprintf(script, sizeof script,
             "{ %s sleep 0.1; \"$CONDA_GPU\" devices; echo $? >status; } | true", gone[_i].before);
    struct outcome got = run_script(script, NULL);
    char *status = sandbox_read(&box, "status", NULL);

    ck_assert_str_eq(status, gone[_i].status);
    ck_assert_str_eq(got.err, gone[_i].err);
    free(status);
    outcome_free(&got);
}
END_TEST

/* Colour: only on a terminal, never with NO_COLOR or on a dumb one. What a file holds is shown to a
   terminal without its escape sequences, and elsewhere byte for byte. */

static const struct colour {
    const char *command;
    const char *variable;
    bool coloured;
} colours[] = {
    {"\"$CONDA_GPU\" aply", "TERM=xterm", true},
    {"\"$CONDA_GPU\" devices", "TERM=xterm", true},
    {"NO_COLOR=1 \"$CONDA_GPU\" aply", "TERM=xterm", false},
    {"NO_COLOR=1 \"$CONDA_GPU\" devices", "TERM=xterm", false},
    {"NO_COLOR= \"$CONDA_GPU\" devices", "TERM=xterm", true},
    {"\"$CONDA_GPU\" devices", "TERM=dumb", false},
    {"\"$CONDA_GPU\" aply", NULL, false},
    {"\"$CONDA_GPU\" devices | cat", "TERM=xterm", false},
    {"\"$CONDA_GPU\" aply 2>&1 | cat", "TERM=xterm", false},
    {"\"$CONDA_GPU\" apply -p \"$PT\"", "TERM=xterm", false},
    {"\"$CONDA_GPU\" apply --diff -f escape.yml -p \"$PT\"", "TERM=xterm", false},
    {"\"$CONDA_GPU\" apply --diff -f escape.yml -p \"$PT\" | cat", "TERM=xterm", true},
};

START_TEST(colours_only_there)
{
    const struct colour *colour = &colours[_i];
    char script[256];

    struct outcome got = run_script("command -v script", NULL);
    if (got.status != 0) {
        test_skip(true, "colour: no script(1) to make a terminal (package bsdutils)");
        return;
    }
    outcome_free(&got);
    sandbox_write(&box, "escape.yml", "gpu: {devices: 1, variables: {A: \"\\e[1A\"}}\n");
    snprintf(script, sizeof script, "script -qec '%s' /dev/null </dev/null", colour->command);
    got = run_script(script, colour->variable);
    ck_assert_msg((strchr(got.out, '\033') != NULL) == colour->coloured, "%s: %s", colour->command,
                  got.out);
    ck_assert_uint_gt(got.out_length, 20);
    outcome_free(&got);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("command line");
    TCase *tests = tcase_create("");

    sandboxed_with_environment(tests);
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_loop_test(tests, a_mistake, 0, sizeof mistakes / sizeof *mistakes);
    tcase_add_test(tests, no_command);
    tcase_add_loop_test(tests, version, 0, sizeof versions / sizeof *versions);
    tcase_add_loop_test(tests, help_text, 0, sizeof helps / sizeof *helps);
    tcase_add_loop_test(tests, help_is_asked_for, 0, sizeof asked / sizeof *asked);
    tcase_add_test(tests, help_needs_nothing);
    tcase_add_test(tests, tables);
    tcase_add_test(tests, letters);
    tcase_add_loop_test(tests, options_before, 0, sizeof before / sizeof *before);
    tcase_add_loop_test(tests, broken_output, 0, sizeof streams / sizeof *streams);
    tcase_add_loop_test(tests, output_of_diff, 0, sizeof diffs / sizeof *diffs);
    tcase_add_test(tests, children_ignored);
    tcase_add_loop_test(tests, harmless_stream, 0, sizeof harmless / sizeof *harmless);
    tcase_add_loop_test(tests, reader_gone, 0, sizeof gone / sizeof *gone);
    tcase_add_loop_test(tests, colours_only_there, 0, sizeof colours / sizeof *colours);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return test_main(suite());
}
