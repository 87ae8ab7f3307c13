#include "cli/cli.h"

#include "base/env.h"
#include "base/scope.h"

#include <poll.h>

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
