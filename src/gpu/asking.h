/*
 * A vendor's library is asked in a child; what is said when it gives no answer is the same of each,
 * but for its name (`whom`).
 *
 *     if (asking_start(&child, "NVML", query, question, seconds, &err) < 0) ...
 *     if (asking_answer(&child, "NVML", LIMIT, &bytes, &err) < 0) ...
 */
#pragma once

#include "base/child.h"
#include "base/error.h"

/* child_start(). STATUS_SYSTEM where the system has no child process. */
int asking_start(struct child *child, const char *whom, child_work *work, const void *data,
                 unsigned seconds, struct error *err);

/* child_answer(). STATUS_DRIVER where there is none. */
int asking_answer(struct child *child, const char *whom, size_t limit, struct strbuf *answer,
                  struct error *err);
