/*
 * One environment, envs/pt of a sandbox, and what is done to it: shared by the tests of what
 * conda-gpu writes there.
 *
 *     tcase_add_checked_fixture(tcase, one_prefix_open, one_prefix_close);
 *     sandbox_write(&box, "environment.yml", "gpu: {devices: 1}\n");
 *     must_apply();
 */
#pragma once

#include "support/sandboxed.h"

extern char *prefix; /* absolute */

void one_prefix_open(void);
void one_prefix_close(void);

enum { HOOKS = 6 };
extern const char *const hooks[HOOKS]; /* below the prefix, in the order of writing */

/* The path below the sandbox of a path below the environment; valid until the next call. */
const char *inside(const char *path);

/* As rooted() and check_rooted(), @ being the prefix. */
char *with_prefix(const char *text);
void check_text(const char *got, const char *wanted);

/* conda-gpu COMMAND -p envs/pt OPTION VALUE; NULL: none. */
struct outcome on_prefix(const char *command, const char *option, const char *value);

/* Runs a script in the sandbox, where conda-gpu is "$CONDA_GPU". */
struct outcome run_script(const char *script);

/* `apply`, which must succeed and complain of nothing. */
void must_apply(void);

/* Every file below envs with its mode and content, as a text; malloc'ed. */
char *listing(void);

/* Runs a command that must end so, with this on stderr (@: the prefix), and change nothing. */
void check_left_alone(const char *command, const char *option, int status, const char *message);
