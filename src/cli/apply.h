/*
 * `conda-gpu apply`: apply.c has the driver and the prefix do what the section says, apply_hosts.c
 * finds that for each machine, apply_notes.c and apply_host_notes.c note what one may not expect,
 * apply_tell.c tells all else.
 */
#pragma once

#include "base/array.h"
#include "cli/cli.h"
#include "conda/install.h"
#include "conda/rivals.h"
#include "gpu/stock.h"
#include "plan/resolve.h"

/* What is to be written, and what for. */
struct apply {
    const struct options *options;
    struct section section;
    struct environment environment;
    const char *host;                        /* this machine */
    char *user;                              /* who runs conda-gpu */
    struct stock stock;                      /* of --inventory */
    struct array_of(struct host_team) hosts; /* this machine, or those of the inventory */
    const struct host_team *shown; /* the one that serves this machine, or else the first */
    const struct plan *plan;       /* this user's there */
    bool here;                     /* it serves this machine */
    bool served;                   /* some part does, perhaps an earlier one */
    struct prefix prefix;
    struct lock lock;
    struct install_wish wish;
    struct install install;
    struct rivals rivals; /* who else has a say in the variables */
    bool beaten;          /* another script gives the shell other values than the section's */
    bool differs;         /* some file is not what it is to be, or was not */
    bool written;         /* it is now */
};

/* Whether nothing is to be written. */
bool apply_looks_only(const struct options *options);

/* What the rules give to everybody, on this machine or, with --inventory, on those of it. */
int apply_resolve(struct apply *apply, struct error *err);
/* Once install_prepare has made the parts: which of them is for this machine. */
void apply_find_here(struct apply *apply);

/* Reads --inventory, and names it for messages. */
const char *apply_stock_name(const struct options *options);
int apply_read_stock(struct stock *stock, const struct options *options, struct error *err);

/* After an error about the file: where it has no section, which file had one, and on stdout a
   section for this machine's devices. Returns -1. */
int apply_without_section(const struct options *options, struct error *err);

/* Notes what the user may not expect of what install_prepare has made, and finds rivals. */
void apply_note_all(struct apply *apply);
/* The part of it that is about machines. */
void apply_note_hosts(struct apply *apply);

/* --explain: which rule serves whom, and why the others do not. Nothing else is read. */
int apply_explain(const struct options *options, struct error *err);

/* --host NAME --forget: takes a machine's part out of an environment. */
int apply_forget(const struct options *options, struct error *err);

/* Tells what becomes, or became, of it all: as text, or for --json. */
int apply_tell(const struct apply *apply, struct error *err);

/* Parts of that which --forget and --explain have as well. */
void apply_json_files(const struct hook_set *files, bool written);
void apply_json_source(const struct section *section);

/* Adds what writing this file would change, as a diff. */
int apply_diff(const struct apply *apply, const struct hook_file *file, struct strbuf *out,
               struct error *err);
