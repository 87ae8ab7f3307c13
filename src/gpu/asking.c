#include "gpu/asking.h"

#include <string.h>

#define LOOK "see whether nvidia-smi works"

int asking_refused(const char *whom, int error, struct error *err)
{
    return error_add(err, STATUS_SYSTEM, "cannot ask %s: no child process: %s", whom,
                     strerror(error));
}

int asking_failed(const char *whom, struct child_ending ending, unsigned seconds, struct error *err)
{
    switch (ending.how) {
    case CHILD_REFUSED:
        return asking_refused(whom, ending.code, err);
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
