/*
 * conda's own variables of an environment, and what conda-gpu says about each rival. For rivals.h.
 */
#pragma once

#include "conda/rivals.h"

/* Adds those that are variables of the plan. -1 if memory ran out. */
int conda_vars_find(struct rivals *rivals, const struct prefix *prefix,
                    const struct var_list *variables);
