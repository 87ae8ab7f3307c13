/*
 * A vendor's library is asked in a child process, which answers or says why it cannot. What is said
 * of a child that does neither is the same of each library, but for its name.
 *
 *     static const struct vendor nvml = {"NVML", ask_nvml};
 *     if (asking_start(&child, &nvml, &question, &err) < 0) ...
 *     if (asking_answer(&child, &nvml, &answer, &err) < 0) ...
 */
#pragma once

#include "base/child.h"
#include "base/error.h"

struct question {
    const char *driver;  /* the CUDA library; NVML's and EGL's are in its folder. NULL: where they
                            usually are */
    const char *visible; /* CUDA_VISIBLE_DEVICES; NULL: unset */
    const char *order;   /* CUDA_DEVICE_ORDER; NULL: unset */
    unsigned timeout;    /* seconds */
    const char *root;    /* where /proc and /dev are, for tests; NULL: as usual */
};

/* Results beside 0. ASKING_ABSENT: this machine simply has no GPU, which is CUDA's to say. */
enum { ASKING_FAILED = -1, ASKING_ABSENT = -2 };

struct vendor {
    const char *name;

    /* Runs in the child. Adds the answer and returns 0, or one of the results above with one
       message, of which the status and the details stay behind. */
    int (*ask)(const struct question *question, struct strbuf *answer, struct error *err);
};

/* child_start(). STATUS_SYSTEM where the system has no child process. */
int asking_start(struct child *child, const struct vendor *vendor, const struct question *question,
                 struct error *err);

/* child_answer(), or one of the results above. STATUS_DRIVER where there is no answer. */
int asking_answer(struct child *child, const struct vendor *vendor, struct strbuf *answer,
                  struct error *err);

/* Adds that "NVML's answer makes no sense", what follows, and what to do. For what a library told
   its child, and for answers: both ends are this program, on one machine, so structs travel as they
   are; who reads them trusts nothing in them all the same. */
int asking_nonsense(const struct vendor *vendor, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
