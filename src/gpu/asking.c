#include "gpu/asking.h"

#include <errno.h>
#include <string.h>

#define LOOK "see whether nvidia-smi works"

static int refused(const char *whom, int error, struct error *err)
{
    return error_add(err, STATUS_SYSTEM, "cannot ask %s: no child process: %s", whom,
                     strerror(error));
}

int asking_start(struct child *child, const char *whom, child_work *work, const void *data,
                 unsigned seconds, struct error *err)
{
    return child_start(child, work, data, seconds) < 0 ? refused(whom, errno, err) : 0;
}

int asking_answer(struct child *child, const char *whom, size_t limit, struct strbuf *answer,
                  struct error *err)
{
    unsigned seconds = child->seconds;
    struct child_ending ending = child_answer(child, limit, answer);

    if (answer->failed)
        return error_memory(err);
    switch (ending.how) {
    case CHILD_ANSWERED:
        return 0;
    case CHILD_REFUSED:
        return refused(whom, ending.code, err);
    case CHILD_LATE:
        return error_add(err, STATUS_DRIVER,
                         "%s did not answer within %u seconds; " LOOK ", and give it longer with "
                         "--timeout SECONDS",
                         whom, seconds);
    case CHILD_KILLED:
        return error_add(err, STATUS_DRIVER, "%s crashed (signal %d, %s); " LOOK, whom, ending.code,
                         strsignal(ending.code));
    default:
        return error_add(err, STATUS_DRIVER,
                         "%s ended its process (exit status %d) without an answer; " LOOK, whom,
                         ending.code);
    }
}
