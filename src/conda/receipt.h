/*
 * PREFIX/etc/conda/conda-gpu.yml: what apply did there, so that the next run knows it, and enough
 * of the plan to do without the driver what the hooks do. Read and written by base/record.h.
 *
 * It outlives the version that wrote it, so it tells its format. Keys that are not known here are
 * passed over, and optional keys may be added without another format; a new format is for what an
 * older conda-gpu must not touch. When it was written is the file's own time.
 *
 *     scope(receipt_free) struct receipt *receipt = receipt_parse(text, length, path, &err);
 */
#pragma once

#include "base/error.h"
#include "plan/plan.h"

enum { RECEIPT_FORMAT = 1 };

/* A file of somebody else's that stood in a hook's place. */
struct receipt_kept {
    const char *path; /* where it stood and where remove puts it back, below the prefix */
    const char *now;  /* where it is: see path_is_kept_as */
};

/* A file outside, which apply renews and from which remove takes our part: export/keep.h. */
struct receipt_export {
    char *path; /* absolute */
    char *format;
};

/* What one machine's apply resolved. */
struct receipt_host {
    char *host;         /* the machine, as uname -n tells it */
    char *version;      /* of the conda-gpu that wrote this part */
    char *source;       /* absolute path of the environment file, or "standard input" or "a pipe" */
    bool by_host;       /* rules of the source name hosts, so it says nothing of other machines */
    struct plans plans; /* the results that its rules have */
    struct shares rules;
};

struct receipt_hosts array_of(struct receipt_host);

/* All but the hosts belong to the prefix as a whole. */
struct receipt {
    unsigned format;
    char state[STATE_KEY_SIZE]; /* the key of the hooks' state, kept from the first apply on */
    struct names managed;       /* every variable ever managed here */
    struct receipt_kept_list array_of(struct receipt_kept) kept;
    struct names folders; /* those that apply made, below the prefix; remove takes them away if
                             empty */
    struct array_of(struct receipt_export) exports;
    struct receipt_hosts hosts; /* by name */
};

/* Makes of a device's text what programs use: all but its number, name and memory, which are not
   text. Loading does that, and finds each plan's `gpus` by its variables. */
void receipt_read_device(struct planned_device *planned);

/* NULL, with STATUS_PREFIX, for a text that is damaged or of a newer format, which the message
   calls `name`. */
struct receipt *receipt_parse(const char *text, size_t length, const char *name, struct error *err);

/* The receipt as text. The members may belong to the caller, and must be UTF-8. */
int receipt_print(struct strbuf *out, const struct receipt *receipt, struct error *err);

/* Only for what receipt_parse returned; for scope(). */
void receipt_free(struct receipt **receipt);

/* Whether a text at the receipt's place is one, however damaged. */
bool receipt_is_ours(const char *text, size_t length);
