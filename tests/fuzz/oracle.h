/*
 * Asks a real shell what two hooks do. For a plan and the hooks that were rendered from it, the
 * shell is given some priors, sources the activation and prints its environment by env(1); then
 * sources the deactivation as well, and prints it again. Required are exactly the plan's values,
 * and then the priors, byte for byte.
 *
 * The canary: the shell has nothing in PATH and runs with -eu, so that whatever word of a value it
 * took for a command would end the hook and say so; no output and no message are allowed.
 */
#pragma once

#include "plan/plan.h"

#include <stdint.h>

/* `choice`, any number, decides on the shell (dash or bash), on the priors, and on whether all this
   happens inside a scheduler's job. */
void oracle_check(const struct plan *plan, const struct strbuf *activate,
                  const struct strbuf *deactivate, uint64_t choice);
