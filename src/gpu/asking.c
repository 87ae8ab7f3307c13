#include "gpu/asking.h"

#include "base/scope.h"

#include <errno.h>
#include <string.h>

#define LOOK "see whether nvidia-smi works"

enum { LONGEST_ANSWER = 64 << 20 };

/* ---- in the child ---------------------------------------------------------------------------- */

struct errand {
    const struct vendor *vendor;
    const struct question *question;
};

/* The last byte is the result; before it is the answer, or why there is none. */
static void run(const void *data, struct strbuf *answer)
{
    const struct errand *errand = data;
    scope(error_release) struct error err = ERROR_INIT;
    int result = errand->vendor->ask(errand->question, answer, &err);

    if (result < 0) {
        strbuf_release(answer);
        strbuf_adds(answer, error_first(&err));
    }
    strbuf_addc(answer, (char)-result);
    answer->failed = answer->failed || err.no_memory;
}

/* ---- in the program -------------------------------------------------------------------------- */

static int refused(const struct vendor *vendor, int error, struct error *err)
{
    return error_add(err, STATUS_SYSTEM, "cannot ask %s: no child process: %s", vendor->name,
                     strerror(error));
}

int asking_nonsense(const struct vendor *vendor, struct error *err, const char *format, ...)
{
    scope(strbuf_release) struct strbuf what = STRBUF_INIT;
    va_list args;

    va_start(args, format);
    strbuf_vaddf(&what, format, args);
    va_end(args);
    return error_add(err, STATUS_DRIVER, "%s's answer makes no sense%s; " LOOK, vendor->name,
                     strbuf_text(&what));
}

int asking_start(struct child *child, const struct vendor *vendor, const struct question *question,
                 struct error *err)
{
    const struct errand errand = {vendor, question};

    return child_start(child, run, &errand, question->timeout) < 0 ? refused(vendor, errno, err)
                                                                   : 0;
}

static int read_result(const struct vendor *vendor, struct strbuf *answer, struct error *err)
{
    if (!answer->length)
        return asking_nonsense(vendor, err, ": it is empty");
    int result = -(unsigned char)answer->text[--answer->length];
    answer->text[answer->length] = '\0';
    if (result == 0)
        return 0;
    error_add(err, STATUS_DRIVER, "%s", answer->text);
    return result == ASKING_ABSENT && !err->no_memory ? ASKING_ABSENT : ASKING_FAILED;
}

int asking_answer(struct child *child, const struct vendor *vendor, struct strbuf *answer,
                  struct error *err)
{
    unsigned seconds = child->seconds;
    struct child_ending ending = child_answer(child, LONGEST_ANSWER, answer);

    if (answer->failed)
        return error_memory(err);
    switch (ending.how) {
    case CHILD_ANSWERED:
        return read_result(vendor, answer, err);
    case CHILD_REFUSED:
        return refused(vendor, ending.code, err);
    case CHILD_LATE:
        return error_add(err, STATUS_DRIVER,
                         "%s did not answer within %u seconds; " LOOK ", and give it longer with "
                         "--timeout SECONDS",
                         vendor->name, seconds);
    case CHILD_KILLED:
        return error_add(err, STATUS_DRIVER, "%s crashed (signal %d, %s); " LOOK, vendor->name,
                         ending.code, strsignal(ending.code));
    default:
        return error_add(err, STATUS_DRIVER,
                         "%s ended its process (exit status %d) without an answer; " LOOK,
                         vendor->name, ending.code);
    }
}
