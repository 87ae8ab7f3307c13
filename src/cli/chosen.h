/*
 * Which environment a command is about, and its plan: for what uses a plan and does not write it.
 *
 *     scope(chosen_release) struct chosen chosen = CHOSEN_INIT;
 *     if (chosen_find(&chosen, options, &err) < 0) ...
 *
 * The plan is the receipt's, without the driver; with -f it is resolved from FILE. --gpus narrows
 * it. With --free there may be neither plan nor environment: environment.path is NULL then.
 */
#pragma once

#include "cli/cli.h"
#include "conda/earlier.h"

struct chosen {
    struct environment environment;
    struct prefix prefix;
    struct planned planned;
};

#define CHOSEN_INIT ((struct chosen){.prefix = PREFIX_INIT})

/* Only the environment, as cli_open finds it, and what apply has written there. */
int chosen_open(struct chosen *chosen, const struct options *options, const struct section *file,
                struct error *err);
int chosen_find(struct chosen *chosen, const struct options *options, struct error *err);
void chosen_release(struct chosen *chosen);

/* The rows for it in a command's table. */
#define CHOSEN_ROWS                                                                                \
    OPTION_TEXT_ROW(file, 'f', "file", "FILE", NULL,                                               \
                    "what this environment file asks for; without it, what apply has written"),    \
        OPTION_NAME_ROW,                                                                           \
        OPTION_PREFIX_ROW(                                                                         \
            "the environment in this folder; without either, the active one, but not "             \
            "base, or else the one that FILE names"),                                              \
        OPTION_TEXT_ROW(gpus, '\0', "gpus", "LIST", NULL,                                          \
                        "only these of its GPUs: items as in the section, such as 1 or 0-1,3")
