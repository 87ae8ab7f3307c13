/*
 * What is said when a vendor's library gives no answer: the same of each, but for its name.
 *
 *     if (child_start(&child, query, question, seconds) < 0)
 *         return asking_refused("NVML", errno, err);
 *     ending = child_answer(&child, LIMIT, &bytes);
 *     if (ending.how != CHILD_ANSWERED)
 *         return asking_failed("NVML", ending, seconds, err);
 */
#pragma once

#include "base/child.h"
#include "base/error.h"

/* The system has no child process: STATUS_SYSTEM. Returns -1. */
int asking_refused(const char *whom, int error, struct error *err);

/* How a child ended without an answer; STATUS_DRIVER, but for CHILD_REFUSED. Returns -1. */
int asking_failed(const char *whom, struct child_ending ending, unsigned seconds,
                  struct error *err);
