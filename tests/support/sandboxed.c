#include "support/sandboxed.h"

#include <stdlib.h>

struct sandbox box;

static void open_box(void)
{
    sandbox_open(&box);
}

static void close_box(void)
{
    sandbox_close(&box);
}

static void add_environment(void)
{
    free(sandbox_environment(&box, "pt"));
}

void sandboxed(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_box, close_box);
}

void sandboxed_with_environment(TCase *tests)
{
    sandboxed(tests);
    tcase_add_checked_fixture(tests, add_environment, NULL);
}
