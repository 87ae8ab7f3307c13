#include "section/vars.h"

#include "base/array.h"
#include "base/strbuf.h"
#include "section/job.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

const char *const var_kind_names[] = {
    [VAR_SET] = "set", [VAR_UNSET] = "unset", [VAR_PREPEND] = "prepend", [VAR_APPEND] = "append"};

static void var_release(struct var *var)
{
    free(var->name);
    free(var->value);
    free(var->separator);
}

int vars_add(struct var_list *list, const char *name, enum var_kind kind, const char *value,
             const char *separator)
{
    struct var var = {.name = strdup(name),
                      .kind = kind,
                      .value = value ? strdup(value) : NULL,
                      .separator = separator ? strdup(separator) : NULL};

    if (var.name && !value == !var.value && !separator == !var.separator &&
        array_add(list, var) == 0)
        return 0;
    var_release(&var);
    return -1;
}

int vars_copy(struct var_list *list, const struct var *var)
{
    if (vars_add(list, var->name, var->kind, var->value, var->separator) < 0)
        return -1;
    list->items[list->count - 1].line = var->line;
    list->items[list->count - 1].column = var->column;
    return 0;
}

const struct var *vars_find(const struct var_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

bool var_is_list(const struct var *var)
{
    return var->kind == VAR_PREPEND || var->kind == VAR_APPEND;
}

bool var_is_same(const struct var *one, const struct var *other)
{
    return strcmp(one->name, other->name) == 0 && one->kind == other->kind &&
           text_is_same(one->value, other->value) && text_is_same(one->separator, other->separator);
}

bool vars_are_same(const struct var_list *one, const struct var_list *other)
{
    bool same = one->count == other->count;

    for (size_t i = 0; same && i < one->count; i++)
        same = var_is_same(&one->items[i], &other->items[i]);
    return same;
}

size_t vars_size(const struct var_list *list)
{
    size_t size = 0;

    for (size_t i = 0; i < list->count; i++)
        size += list->items[i].value ? strlen(list->items[i].value) : 0;
    return size;
}

void vars_release(struct var_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        var_release(&list->items[i]);
    free(list->items);
    *list = (struct var_list){0};
}

const char *const var_references[] = {"CONDA_PREFIX", "HOME", "USER"};
const size_t var_reference_count = sizeof var_references / sizeof *var_references;

size_t var_reference_length(const char *text, const char **name)
{
    for (size_t i = 0; i < var_reference_count; i++) {
        size_t length = strlen(var_references[i]);
        *name = var_references[i];
        if (strncmp(text, "${", 2) == 0 && strncmp(text + 2, *name, length) == 0 &&
            text[length + 2] == '}')
            return length + 3;
    }
    return 0;
}

const char *var_reference_find(const char *text, size_t *length, const char **name)
{
    for (; (text = strstr(text, "${")); text++) {
        *length = var_reference_length(text, name);
        if (*length)
            return text;
    }
    return NULL;
}

const char *const device_values[DEVICE_VALUES] = {"uuids", "count", "pci", "egl"};

size_t device_value_length(const char *text, enum device_value *value)
{
    size_t begin = strlen(DEVICE_VALUE_BEGIN);

    for (int i = 0; i < DEVICE_VALUES; i++) {
        size_t length = strlen(device_values[i]);
        *value = (enum device_value)i;
        if (strncmp(text, DEVICE_VALUE_BEGIN, begin) == 0 &&
            strncmp(text + begin, device_values[i], length) == 0 && text[begin + length] == '}')
            return begin + length + 1;
    }
    return 0;
}

/*
 * Patterns, a space between, and why what they match is refused. Those of shells are the
 * names with which setting, unsetting or setting again failed or came out otherwise when each was
 * tried in bash 5.2 (also --posix), dash 0.5.12, zsh 5.9, ksh93u+m, mksh 59, busybox 1.35,
 * yash 2.52, fish 3.6 and tcsh 6.24; IFS and POSIXLY_CORRECT change what a shell does, ARGV0 what
 * zsh calls the commands that it starts, and a line of csh's that ends in `then` begins a block.
 */
static const struct {
    const char *patterns;
    const char *reason;
} refused[] = {
    {"PATH", "is rebuilt by conda, and a switch from one environment to another loses what a hook "
             "did to it"},
    {"CUDA_VISIBLE_DEVICES", "is what gpu.devices decides; name the GPUs there"},
    {"CUDA_DEVICE_ORDER",
     "is always PCI_BUS_ID, so that GPUs count as in nvidia-smi; name them in gpu.devices"},
    {"HOME USER", "is what values ask for as ${HOME} or ${USER}, and what assign goes by"},
    {"CONDA_* _CONDA_* __CONDA_* _CE_* __conda_gpu_* __gpu_*",
     "belongs to conda or to conda-gpu, which set it themselves"},
    {"PROMPT_COMMAND PS[0-4] PROMPT PROMPT[2-4] RPS[12] RPROMPT RPROMPT2 SPROMPT BASH_ENV ENV",
     "holds commands that a shell runs"},
    {"_ IFS PWD OLDPWD SHLVL PPID LINENO OPTIND OPTARG OPTERR RANDOM SECONDS",
     "is read-only or has a meaning of its own in every POSIX shell"},
    {"UID EUID GROUPS SHELLOPTS BASHOPTS BASH BASH_* BASHPID COMP_* DIRSTACK EPOCHREALTIME "
     "EPOCHSECONDS FUNCNAME HISTCMD PIPESTATUS POSIXLY_CORRECT SRANDOM",
     "is read-only or has a meaning of its own in bash"},
    {"ARGC ARGV0 COLUMNS EGID ERRNO FUNCNEST GID HISTCHARS HISTSIZE KEYBOARD_HACK KEYTIMEOUT LINES "
     "LISTMAX MAILCHECK MATCH MBEGIN MEND SAVEHIST TRY_BLOCK_* TTYIDLE USERNAME WATCH ZSH_*",
     "is read-only or has a meaning of its own in zsh"},
    {"aliases argv builtins cdpath commands dirstack dis_* fignore fpath func*trace funcstack "
     "functions functions_source galiases histchars historywords job* keymaps mailpath manpath "
     "module_path modules nameddirs options parameters patchars path pipestatus psvar reswords "
     "saliases signals termcap terminfo userdirs usergroups watch widgets zsh_*",
     "is read-only or has a meaning of its own in zsh"},
    {"JOBMAX KSH_MATCH KSH_VERSION KSHEGID KSHGID KSHUID PGRP TMOUT USER_ID",
     "is read-only or has a meaning of its own in ksh"},
    {"FISH_VERSION fish_* history hostname status status_generation umask version",
     "is read-only or has a meaning of its own in fish"},
    {"addsuffix anyerror argv cdtohome command csubstnonl cwd dirstack echo_style edit euid euser "
     "gid group home killring owd path prompt* shell shlvl tcsh term then tty uid user",
     "is a variable of tcsh's own, which hides the environment's there"},
};

static bool is_among(const char *patterns, const char *name)
{
    char pattern[32];

    while (*patterns) {
        size_t length = strcspn(patterns, " ");
        memcpy(pattern, patterns, length);
        pattern[length] = '\0';
        if (fnmatch(pattern, name, 0) == 0)
            return true;
        patterns += length + (patterns[length] == ' ');
    }
    return false;
}

size_t var_name_length(const char *text)
{
    size_t length = 0;

    while ((text[length] >= 'A' && text[length] <= 'Z') ||
           (text[length] >= 'a' && text[length] <= 'z') ||
           (text[length] >= '0' && text[length] <= '9') || text[length] == '_')
        length++;
    return length;
}

bool var_name_has_shape(const char *name)
{
    return *name && !(*name >= '0' && *name <= '9') && !name[var_name_length(name)];
}

const char *var_name_refused(const char *name)
{
    if (!var_name_has_shape(name))
        return "is no name for a variable: a letter or _ first, then letters, digits and _";
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (is_among(refused[i].patterns, name))
            return refused[i].reason;
    return job_is_told_by(name)
               ? "tells in which scheduler's job a shell is, which the hooks must know"
               : NULL;
}

bool var_name_is_manageable(const char *name)
{
    return !var_name_refused(name) || strcmp(name, "CUDA_VISIBLE_DEVICES") == 0 ||
           strcmp(name, "CUDA_DEVICE_ORDER") == 0;
}
