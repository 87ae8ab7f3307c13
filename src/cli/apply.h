/*
 * `conda-gpu apply` in two rooms: apply.c has the driver and the prefix do what the section says,
 * apply_report.c tells the user.
 */
#ifndef CONDA_GPU_CLI_APPLY_H
#define CONDA_GPU_CLI_APPLY_H

#include "cli/cli.h"
#include "conda/install.h"
#include "plan/resolve.h"

/* What is to be written, and what for. */
struct apply {
    const struct options *options;
    struct section section;
    struct environment environment;
    struct resolution found;
    struct prefix prefix;
    struct install_wish wish;
    struct install install;
};

/* Adds what writing this file would change, as a diff. */
int apply_diff(const struct apply *apply, const struct hook_file *file, struct strbuf *out,
               struct error *err);

/* What the user may not expect, on stderr; then the environment and its devices. */
void apply_print_notes(const struct apply *apply);
void apply_print_plan(const struct apply *apply);

/* What would change: as diffs for --dry-run, by name for --check. */
int apply_show_differences(const struct apply *apply, struct error *err);

/* What was written, and how a shell that has the environment active takes it up. */
void apply_print_written(const struct apply *apply);

#endif
