#include "cli/exec_last.h"

#include "base/env.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/tempfile.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { LIMIT = 64 << 10, MOST = 64 };

/* The folder, as a path; NULL where there is none. */
static char *find_folder(char *const *env)
{
    const char *state = env_get_filled(env, "XDG_STATE_HOME"), *home = env_get_filled(env, "HOME");

    if (state && *state == '/')
        return path_join(state, "conda-gpu");
    return home && *home == '/' ? path_join(home, ".local/state/conda-gpu") : NULL;
}

void last_read(struct names *uuids, char *const *env)
{
    scope(free_text) char *folder = find_folder(env);
    scope(free_text) char *path = folder ? path_join(folder, "last") : NULL;
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (!path || file_read(path, LIMIT, &text) < 0)
        return;
    for (char *rest = text.text, *uuid; uuids->count < MOST && (uuid = strsep(&rest, "\n"));)
        if (*uuid)
            names_add(uuids, uuid);
}

/* Makes the folder and those above it. -1, or its descriptor. */
static int open_folder(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    mkdir(path, 0700);
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void last_write(const struct names *uuids, char *const *env)
{
    scope(free_text) char *path = find_folder(env);

    if (!path)
        return;
    scope(names_release) struct names all = {0};
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;
    scope(tempfile_release) struct tempfile temp = TEMPFILE_INIT;
    for (size_t i = 0; i < uuids->count; i++)
        names_add(&all, uuids->items[i]);
    last_read(&all, env);
    for (size_t i = 0; i < all.count; i++)
        strbuf_addf(&text, "%s\n", all.items[i]);
    scope(close_fd) int folder = open_folder(path);
    if (folder >= 0 && !text.failed && tempfile_create(&temp, folder) == 0 &&
        tempfile_write(&temp, strbuf_text(&text), text.length) == 0)
        tempfile_commit(&temp, "last");
}
