#include "gpu/library.h"

#include "base/file.h"

#include <dlfcn.h>
#include <limits.h>
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
static enum library_state load(void **handle, const char *name, char *problem)
{
    *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (*handle)
        return LIBRARY_OPEN;
    const char *why = dlerror();
    why = why ? why : "unknown reason";
    bool missing = is_missing(name, why);
    if (!missing || !*problem)
        snprintf(problem, LIBRARY_PROBLEM_SIZE, "%s", why);
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
                                  char *problem)
{
    void *symbol = find_first(handle, call->symbols);

    if (!symbol && call->need == LIBRARY_REQUIRED) {
        snprintf(problem, LIBRARY_PROBLEM_SIZE, "it has no %.*s", (int)strcspn(call->symbols, " "),
                 call->symbols);
        return LIBRARY_UNUSABLE;
    }
    memcpy((char *)value + call->offset, &symbol, sizeof symbol);
    return LIBRARY_OPEN;
}

enum library_state library_open(const struct library *library, const char *driver, void *value,
                                char problem[LIBRARY_PROBLEM_SIZE])
{
    enum library_state state = LIBRARY_MISSING;
    char path[2 * PATH_MAX] = ""; /* what has to be cut is too long for the system as well */
    const char *const named[] = {path, NULL};
    void *handle = NULL;

    if (driver && library->is_beside)
        snprintf(path, sizeof path, "%.*s%s", (int)(path_name(driver) - driver), driver,
                 library->names[0]);
    else if (driver)
        snprintf(path, sizeof path, "%s", driver);
    *problem = '\0';
    for (const char *const *name = driver ? named : library->names; *name; name++)
        if ((state = load(&handle, *name, problem)) != LIBRARY_MISSING)
            break;
    for (const struct library_call *call = library->calls; call->symbols; call++)
        if (state == LIBRARY_OPEN)
            state = resolve(value, handle, call, problem);
    return state;
}
