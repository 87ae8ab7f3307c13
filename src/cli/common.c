#include "cli/cli.h"

#include "base/env.h"
#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { CONFIG_LIMIT = 16 << 20 };

static int read_config(const char *path, const struct options *options, struct strbuf *text)
{
    return options->file ? file_read_named(path, CONFIG_LIMIT, options->timeout, text)
                         : file_read(path, CONFIG_LIMIT, text);
}

/* conda's own tools write .yml, and its manual has both. */
static void note_other(const char *read, const struct options *options)
{
    static const char other[] = "environment.yaml";

    if (!options->file && strcmp(read, other) != 0 && access(other, F_OK) == 0)
        cli_note(options, "reading %s, though there is %s too; -f chooses", read, other);
}

int cli_read_config(struct section *section, const struct options *options, struct error *err)
{
    static const char *const usual[] = {"environment.yml", "environment.yaml"};
    const char *const *files = options->file ? &options->file : usual;
    size_t count = options->file ? 1 : sizeof usual / sizeof *usual;

    for (size_t i = 0; i < count; i++) {
        scope(strbuf_release) struct strbuf text = STRBUF_INIT;
        const char *name = strcmp(files[i], "-") == 0 ? "standard input" : files[i];
        if (read_config(files[i], options, &text) == 0) {
            note_other(name, options);
            return section_read(section, name, strbuf_text(&text), text.length, err);
        }
        if (text.failed)
            return error_memory(err);
        if (errno == EOVERFLOW)
            return error_add(err, STATUS_INPUT,
                             "%s: larger than %d MiB; an environment file is not", name,
                             CONFIG_LIMIT >> 20);
        if (errno != ENOENT || options->file)
            return error_add(err, STATUS_INPUT,
                             "%s: cannot read the file: %s; name another with -f", name,
                             file_reason(errno));
    }
    return error_add(err, STATUS_INPUT,
                     "no environment.yml or environment.yaml in this folder; go to the one that "
                     "has it, or name the file with -f");
}

int cli_lock(struct lock *lock, struct prefix *prefix, const struct options *options,
             struct error *err)
{
    enum { SLICE = 20 }; /* milliseconds */
    scope(strbuf_release) struct strbuf holder = STRBUF_INIT;
    unsigned long slices = options->timeout * 1000ul / SLICE;
    int result = lock_take(lock, prefix, err);

    if (result == LOCK_BUSY) {
        lock_holder(prefix, &holder);
        cli_note(options, "waiting for %s, which writes to this environment", strbuf_text(&holder));
    }
    while (result == LOCK_BUSY && slices-- > 0) {
        poll(NULL, 0, SLICE);
        result = lock_take(lock, prefix, err);
    }
    if (result == LOCK_BUSY)
        return error_add(err, STATUS_PREFIX,
                         "%s: %s has been writing there for %u seconds; wait for it, or end it if "
                         "it hangs",
                         prefix->path, strbuf_text(&holder), options->timeout);
    if (result == LOCK_NONE)
        cli_note(options,
                 "%s: no locks on this file system, so see to it that no other conda-gpu writes "
                 "there now",
                 prefix->path);
    return result < 0 ? -1 : 0;
}
