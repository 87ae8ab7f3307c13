#include "fuzz/oracle.h"

#include "base/file.h"
#include "base/scope.h"
#include "fuzz/fuzz.h"
#include "hook/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PREFIX "/opt/it's $HOME `x`\\"
#define HOME   "/home/eve's ${USER} *"
#define USER   "e\"ve"

/* What a line on the shell's input makes it do. Files that it reads and writes are the fuzzer's
   memory, under these numbers in /dev/fd. */
enum { PRIORS, ACTIVATE, DEACTIVATE, BEFORE, BETWEEN, AFTER, SAID, FILES };

static char loop[] =
    "while read -r line; do\n"
    "  (set -eu; . \"$1\"; exec /usr/bin/env -0) >\"$4\" 2>\"$7\" </dev/null\n"
    "  (set -eu; . \"$1\"; . \"$2\"; exec /usr/bin/env -0) >\"$5\" 2>>\"$7\" </dev/null\n"
    "  (set -eu; . \"$1\"; . \"$2\"; . \"$3\"; exec /usr/bin/env -0) >\"$6\" 2>>\"$7\" </dev/null\n"
    "  echo\n"
    "done\n";

static struct shell_process {
    const char *path;
    pid_t pid;
    int to, from;
} processes[] = {{"/bin/dash", 0, -1, -1}, {"/bin/bash", 0, -1, -1}};

static int files[FILES];
static unsigned long asked;

static void tell(void)
{
    fprintf(stderr, "oracle: %lu pairs of hooks\n", asked);
}

static void open_files(void)
{
    if (!files[0])
        atexit(tell);
    for (int i = 0; !files[FILES - 1] && i < FILES; i++) {
        files[i] = memfd_create("oracle", 0);
        require(files[i] > 0);
    }
}

static _Noreturn void be_shell(const struct shell_process *process, int input, int output)
{
    static char shell[] = "sh", option[] = "-c";
    static char path[] = "PATH=/nowhere", prefix[] = "CONDA_PREFIX=" PREFIX, home[] = "HOME=" HOME;
    static char user[] = "USER=" USER, level[] = "CONDA_SHLVL=1", locale[] = "LC_ALL=C.UTF-8";
    static char names[FILES][24];
    char *argv[FILES + 5] = {shell, option, loop, shell};
    char *env[] = {path, prefix, home, user, level, locale, NULL};

    for (int i = 0; i < FILES; i++) {
        snprintf(names[i], sizeof names[i], "/dev/fd/%d", files[i]);
        argv[4 + i] = names[i];
    }
    dup2(input, 0);
    dup2(output, 1);
    execve(process->path, argv, env);
    _exit(127);
}

static void start(struct shell_process *process)
{
    int in[2], out[2];

    open_files();
    require(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    process->pid = fork();
    require(process->pid >= 0);
    if (process->pid == 0)
        be_shell(process, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    process->to = in[1];
    process->from = out[0];
}

static void put(int file, const char *text, size_t length)
{
    require(ftruncate(file, 0) == 0 && lseek(file, 0, SEEK_SET) == 0);
    require(file_write_fd(file, text, length) == 0);
}

/* What a variable is before: as a word of the shell's, written by hand, and as bytes. */
static const struct {
    const char *word, *value;
} priors[] = {
    {NULL, NULL},
    {"''", ""},
    {"7", "7"},
    {"'-n it'\\''s \"$(x)\" `y` \\ *'\"\n\"", "-n it's \"$(x)\" `y` \\ *\n"},
};

struct asking {
    const struct plan *plan;
    uint64_t choice;
    bool job;
};

static size_t prior_of(const struct asking *in, size_t variable)
{
    return (in->choice >> (variable * 2 % 48 + 8)) % 4;
}

static void put_priors(const struct asking *in)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (in->job)
        strbuf_adds(&text, "export SLURM_JOB_ID=4711\n");
    for (size_t i = 0; i < in->plan->variables.count; i++)
        if (priors[prior_of(in, i)].word)
            strbuf_addf(&text, "export %s=%s\n", in->plan->variables.items[i].name,
                        priors[prior_of(in, i)].word);
    put(files[PRIORS], strbuf_text(&text), text.length);
}

/* An environment as env -0 printed it. */
struct printed {
    struct strbuf text;
    struct names entries;
};

static void printed_release(struct printed *printed)
{
    strbuf_release(&printed->text);
    names_release(&printed->entries);
}

static void read_printed(struct printed *printed, int file)
{
    require(lseek(file, 0, SEEK_SET) == 0 && file_read_fd(file, 64 << 20, &printed->text) == 0);
    const char *text = strbuf_text(&printed->text), *end = text + printed->text.length;
    for (; text < end; text += strlen(text) + 1)
        require(names_add(&printed->entries, text) == 0);
}

static const char *value_in(const struct printed *printed, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < printed->entries.count; i++) {
        const char *entry = printed->entries.items[i];
        if (strncmp(entry, name, length) == 0 && entry[length] == '=')
            return entry + length + 1;
    }
    return NULL;
}

static void add_expanded(struct strbuf *out, const char *text)
{
    static const struct {
        const char *reference, *value;
    } known[] = {{"${CONDA_PREFIX}", PREFIX}, {"${HOME}", HOME}, {"${USER}", USER}};

    while (*text) {
        size_t length = 0;
        for (size_t i = 0; !length && i < sizeof known / sizeof *known; i++)
            if (strncmp(text, known[i].reference, strlen(known[i].reference)) == 0) {
                strbuf_adds(out, known[i].value);
                length = strlen(known[i].reference);
            }
        if (!length)
            strbuf_addc(out, *text);
        text += length ? length : 1;
    }
}

/* Whether the variable stays as it is: CUDA_VISIBLE_DEVICES where others' word on it stands, and
   CUDA_DEVICE_ORDER with it. */
static bool stands(const struct asking *in, const char *name)
{
    const struct var_list *variables = &in->plan->variables;
    const struct var *visible = vars_find(variables, "CUDA_VISIBLE_DEVICES");
    bool may = in->job ? in->plan->in_job == IN_JOB_KEEP : in->plan->if_set == IF_SET_KEEP;

    if (strcmp(name, "CUDA_VISIBLE_DEVICES") != 0 && strcmp(name, "CUDA_DEVICE_ORDER") != 0)
        return false;
    return may && visible && priors[prior_of(in, (size_t)(visible - variables->items))].value;
}

/* An element between two separators. */
static char *closed(const char *element, const char *separator)
{
    return format_text("%s%s%s", separator, element, separator);
}

static bool has_element(const char *list, const char *element, const char *separator)
{
    scope(free_text) char *in = closed(list, separator);
    scope(free_text) char *what = closed(element, separator);

    require(in && what);
    return strstr(in, what) != NULL;
}

/* A list with the variable's element at its end or beginning, unless it is there. */
static char *joined(const struct var *var, const char *prior, const char *element)
{
    scope(strbuf_release) struct strbuf separator = STRBUF_INIT;

    add_expanded(&separator, var->separator);
    const char *between = strbuf_text(&separator);
    if (has_element(prior, element, between))
        return strdup(prior);
    return var->kind == VAR_APPEND ? format_text("%s%s%s", prior, between, element)
                                   : format_text("%s%s%s", element, between, prior);
}

/* What the plan makes of a variable; NULL where it is unset. */
static char *planned_value(const struct asking *in, const struct var *var, const char *prior)
{
    scope(strbuf_release) struct strbuf value = STRBUF_INIT;

    if (prior && stands(in, var->name))
        return strdup(prior);
    if (var->kind == VAR_UNSET)
        return NULL;
    add_expanded(&value, var->value);
    if (prior && *prior && var->separator)
        return joined(var, prior, strbuf_text(&value));
    return strbuf_take(&value);
}

static void require_planned(const struct asking *in, const struct printed *between)
{
    for (size_t i = 0; i < in->plan->variables.count; i++) {
        const struct var *var = &in->plan->variables.items[i];
        scope(free_text) char *value = planned_value(in, var, priors[prior_of(in, i)].value);
        require(same_text(value, value_in(between, var->name)));
    }
}

/* Neither list has an entry that the other lacks, but for the plan's variables and the state. */
static void require_rest(const struct asking *in, const struct printed *of,
                         const struct printed *as)
{
    for (size_t i = 0; i < of->entries.count; i++) {
        const char *entry = of->entries.items[i];
        scope(free_text) char *name = strndup(entry, strcspn(entry, "="));
        require(name != NULL);
        if (strncmp(name, STATE_PREFIX, strlen(STATE_PREFIX)) != 0 &&
            !vars_find(&in->plan->variables, name))
            require(names_have(&as->entries, entry));
    }
}

static void require_equal(const struct printed *a, const struct printed *b)
{
    require(a->entries.count == b->entries.count);
    for (size_t i = 0; i < a->entries.count; i++)
        require(names_have(&b->entries, a->entries.items[i]));
}

static void require_silence(void)
{
    scope(strbuf_release) struct strbuf said = STRBUF_INIT;

    require(lseek(files[SAID], 0, SEEK_SET) == 0 && file_read_fd(files[SAID], 1 << 20, &said) == 0);
    if (said.length)
        fprintf(stderr, "the shell said: %s\n", strbuf_text(&said));
    require(!said.length);
}

/* libFuzzer's clock interrupts what waits. */
static void take_turn(const struct shell_process *process)
{
    char newline = '\n';
    ssize_t got;

    require(file_write_fd(process->to, &newline, 1) == 0);
    do {
        got = read(process->from, &newline, 1);
    } while (got < 0 && errno == EINTR);
    require(got == 1);
}

void oracle_check(const struct plan *plan, const struct strbuf *activate,
                  const struct strbuf *deactivate, uint64_t choice)
{
    struct shell_process *process = &processes[choice % 2];
    const struct asking in = {plan, choice, choice / 2 % 4 == 0};
    scope(printed_release) struct printed before = {0}, between = {0}, after = {0};

    if (!process->pid)
        start(process);
    put_priors(&in);
    put(files[ACTIVATE], activate->text, activate->length);
    put(files[DEACTIVATE], deactivate->text, deactivate->length);
    take_turn(process);
    require_silence();
    read_printed(&before, files[BEFORE]);
    read_printed(&between, files[BETWEEN]);
    read_printed(&after, files[AFTER]);
    require(before.entries.count > 0);
    require_planned(&in, &between);
    require_rest(&in, &before, &between);
    require_rest(&in, &between, &before);
    require_equal(&before, &after);
    asked++;
}
