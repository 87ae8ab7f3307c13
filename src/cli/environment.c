#include "cli/cli.h"

#include "base/env.h"
#include "base/scope.h"

#include <poll.h>

int cli_open(struct environment *environment, struct prefix *prefix, const struct options *options,
             const struct section *file, struct error *err)
{
    const struct find_wish wish = {options->prefix, options->name, file ? file->name : NULL,
                                   file != NULL, options->env};

    if (find_environment(environment, &wish, err) < 0)
        return -1;
    return prefix_open(prefix, environment->path, err);
}

int cli_lock(struct lock *lock, struct prefix *prefix, const struct options *options,
             struct error *err)
{
    enum { LONGEST = 160 }; /* milliseconds from one look to the next: a server has other work */
    scope(strbuf_release) struct strbuf holder = STRBUF_INIT;
    long left = options->timeout * 1000L;
    int result = lock_take(lock, prefix, err);

    if (result == LOCK_BUSY) {
        lock_holder(prefix, &holder);
        cli_note("waiting for %s, which writes to this environment", strbuf_text(&holder));
    }
    for (int pause = 10; result == LOCK_BUSY && left > 0; left -= pause) {
        pause = pause < LONGEST ? 2 * pause : LONGEST;
        poll(NULL, 0, pause);
        result = lock_take(lock, prefix, err);
    }
    if (result == LOCK_BUSY) {
        strbuf_release(&holder);
        lock_holder(prefix, &holder);
        return error_add(err, STATUS_PREFIX,
                         "%s: %s still writes there after %u seconds; wait for it, or end it if it "
                         "hangs. If it has ended, or its machine is down, remove its lock: "
                         "rm '%s/" LOCK_FILE "'",
                         prefix->path, strbuf_text(&holder), options->timeout, prefix->path);
    }
    return result < 0 ? -1 : 0;
}
