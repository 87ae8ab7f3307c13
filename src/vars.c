#include "vars.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more item of `size` bytes in a list that grows by doubling; NULL without memory. */
static void *with_room(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    size_t more = *room ? *room * 2 : 8;
    void *moved = reallocarray(items, more, size);
    if (moved)
        *room = more;
    return moved;
}

int vars_add(struct var_list *list, const char *name, enum var_kind kind, const char *value,
             const char *separator)
{
    struct var *items = with_room(list->items, list->count, &list->room, sizeof *items);

    if (!items)
        return -1;
    list->items = items;
    struct var *var = &list->items[list->count++];
    *var = (struct var){.name = strdup(name), .kind = kind};
    if (value)
        var->value = strdup(value);
    if (separator)
        var->separator = strdup(separator);
    return var->name && !value == !var->value && !separator == !var->separator ? 0 : -1;
}

const struct var *vars_find(const struct var_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

void vars_release(struct var_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].value);
        free(list->items[i].separator);
    }
    free(list->items);
    *list = (struct var_list){0};
}

int names_add(struct names *names, const char *name)
{
    if (names_have(names, name))
        return 0;
    char **items = with_room(names->items, names->count, &names->room, sizeof *items);
    if (!items)
        return -1;
    names->items = items;
    items[names->count] = strdup(name);
    if (!items[names->count])
        return -1;
    names->count++;
    return 0;
}

bool names_have(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

void names_release(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    *names = (struct names){0};
}

#define CONDAS_OWN "belongs to conda, which sets it itself"
#define READ_ONLY  "cannot be set by a script: it is read-only in "
#define SPECIAL    "has a meaning of its own in "

/* The first pattern that matches decides. Shells: bash 5.2, zsh 5.9, ksh93, mksh, yash, fish 3.6,
   tcsh 6.24; each name was tried in each of them. */
static const struct {
    const char *pattern;
    const char *reason;
} refused[] = {
    {"PATH", "is rebuilt by conda at every activation, which discards a hook's change"},
    {"CUDA_VISIBLE_DEVICES", "is what gpu.devices decides: name the GPUs there"},
    {"CUDA_DEVICE_ORDER",
     "is always PCI_BUS_ID, so that GPUs count as in nvidia-smi: use gpu.devices"},
    {"CONDA_*", CONDAS_OWN},
    {"_CONDA_*", CONDAS_OWN},
    {"__CONDA_*", CONDAS_OWN},
    {"_CE_*", CONDAS_OWN},
    {"__conda_gpu_*", "is used inside conda-gpu's own hooks"},
    {"_", SPECIAL "every shell"},
    {"IFS", SPECIAL "every shell"},
    {"PWD", SPECIAL "every shell"},
    {"OLDPWD", SPECIAL "every shell"},
    {"SHLVL", SPECIAL "every shell"},
    {"OPTIND", SPECIAL "every shell"},
    {"OPTARG", SPECIAL "every shell"},
    {"OPTERR", SPECIAL "bash"},
    {"LINENO", SPECIAL "every shell"},
    {"PPID", READ_ONLY "every POSIX shell"},
    {"UID", READ_ONLY "bash and zsh"},
    {"EUID", READ_ONLY "bash and zsh"},
    {"GID", READ_ONLY "zsh"},
    {"EGID", READ_ONLY "zsh"},
    {"USERNAME", SPECIAL "zsh"},
    {"SHELLOPTS", READ_ONLY "bash"},
    {"BASHOPTS", READ_ONLY "bash"},
    {"BASH", SPECIAL "bash"},
    {"BASH_*", SPECIAL "bash"},
    {"BASHPID", READ_ONLY "bash"},
    {"COMP_*", SPECIAL "bash"},
    {"DIRSTACK", SPECIAL "bash"},
    {"EPOCHSECONDS", SPECIAL "bash and zsh"},
    {"EPOCHREALTIME", SPECIAL "bash and zsh"},
    {"FUNCNAME", SPECIAL "bash"},
    {"GROUPS", SPECIAL "bash"},
    {"HISTCMD", SPECIAL "bash and zsh"},
    {"PIPESTATUS", SPECIAL "bash"},
    {"POSIXLY_CORRECT", SPECIAL "bash"},
    {"RANDOM", SPECIAL "bash, zsh and ksh"},
    {"SRANDOM", SPECIAL "bash"},
    {"SECONDS", SPECIAL "bash, zsh and ksh"},
    {"ENV", "makes other shells run the file that it names"},
};

bool var_name_has_shape(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    return *name && !(*name >= '0' && *name <= '9') && !name[strspn(name, letters)];
}

const char *var_name_refused(const char *name)
{
    if (!var_name_has_shape(name))
        return "is no name for a variable: a letter or _ first, then letters, digits and _";
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (fnmatch(refused[i].pattern, name, 0) == 0)
            return refused[i].reason;
    return NULL;
}
