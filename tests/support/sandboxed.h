/*
 * The sandbox of a test program: each test of the case finds a new one.
 *
 *     sandboxed(tests);
 *     tcase_add_checked_fixture(tests, set_up, NULL); // what else is to be there before each test
 */
#pragma once

#include "support/support.h"

extern struct sandbox box;

void sandboxed(TCase *tests);

/* With an environment in it, envs/pt. */
void sandboxed_with_environment(TCase *tests);
