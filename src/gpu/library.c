#include "gpu/library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Of a file that is not there glibc says so in these words. Of one that needs another file which
   is not there, it says it about that other one. */
static bool is_missing(const char *name, const char *why)
{
    size_t length = strlen(name);

    return strncmp(why, name, length) == 0 &&
           strcmp(why + length, ": cannot open shared object file: No such file or directory") == 0;
}

/* glibc says "PATH: file too short". */
static bool is_placeholder(const char *why)
{
    char path[4096];
    struct stat st;

    snprintf(path, sizeof path, "%.*s", (int)strcspn(why, ":"), why);
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

/* Keeps what was said first, or of a file that is there. */
static enum library_state load(void **handle, const char *name, char *problem, size_t size)
{
    *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (*handle)
        return LIBRARY_OPEN;
    const char *why = dlerror();
    why = why ? why : "unknown reason";
    bool missing = is_missing(name, why);
    if (!missing || !*problem)
        snprintf(problem, size, "%s", why);
    return missing ? LIBRARY_MISSING : is_placeholder(why) ? LIBRARY_PLACEHOLDER : LIBRARY_UNUSABLE;
}

static void *find_first(void *handle, const char *symbols)
{
    void *symbol = NULL;
    char name[64];

    while (*symbols && !symbol) {
        size_t length = strcspn(symbols, " ");
        snprintf(name, sizeof name, "%.*s", (int)length, symbols);
        symbol = dlsym(handle, name);
        symbols += length + (symbols[length] == ' ');
    }
    return symbol;
}

static enum library_state resolve(void *value, void *handle, const struct library_call *call,
                                  char *problem, size_t size)
{
    void *symbol = find_first(handle, call->symbols);

    if (!symbol && call->need == LIBRARY_REQUIRED) {
        snprintf(problem, size, "it has no %.*s", (int)strcspn(call->symbols, " "), call->symbols);
        return LIBRARY_UNUSABLE;
    }
    memcpy((char *)value + call->offset, &symbol, sizeof symbol);
    return LIBRARY_OPEN;
}

enum library_state library_open(void *value, const struct library_call *calls, size_t call_count,
                                const char *const *names, size_t name_count, char *problem,
                                size_t size)
{
    enum library_state state = LIBRARY_MISSING;
    void *handle = NULL;

    *problem = '\0';
    for (size_t i = 0; i < name_count && state == LIBRARY_MISSING; i++)
        state = load(&handle, names[i], problem, size);
    for (size_t i = 0; i < call_count && state == LIBRARY_OPEN; i++)
        state = resolve(value, handle, &calls[i], problem, size);
    return state;
}
