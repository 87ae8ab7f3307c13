/*
 * `conda-gpu status`: status.c finds what there is to tell, status_hints.c why a program may use
 * another card, status_text.c prints it, status_json.c has it as JSON, status_all.c is --all.
 */
#pragma once

#include "cli/chosen.h"
#include "cli/seats.h"
#include "conda/rivals.h"
#include "hook/standing.h"

/* What became of the file that the plan was made from. */
enum status_source {
    SOURCE_UNCHANGED,
    SOURCE_SAME,    /* changed since, and asks for the same */
    SOURCE_DIFFERS, /* asks for something else, here and now */
    SOURCE_GONE,
    SOURCE_WRONG,   /* cannot be read, or not be resolved: source_error */
    SOURCE_UNKNOWN, /* it was standard input or a pipe */
};

/* How a device of the plan is found. */
struct status_device {
    const struct seat *seat; /* NULL: it is not there, or nothing is known of cards */
    bool moved;              /* it has another number than it was given by */
};

struct situation {
    const struct options *options;
    struct chosen chosen; /* environment.path is NULL: none is meant */
    const char *source;
    enum status_source source_state;
    struct error source_error;
    time_t applied;
    struct standings standings;
    struct rivals rivals;
    struct seats seats;
    struct names hints; /* why a program may use another card, each with its remedy */
    bool out_of_step;
};

/* The plan's device of this index. */
struct status_device status_device(const struct situation *status, size_t i);

/* Whether the variable is not, and will not be by itself, as the plan has it. */
bool status_is_astray(const struct variable_standing *of);

/* The script that gives a variable another value than the plan; NULL: none does. */
const struct rival *status_beaten(const struct situation *status,
                                  const struct variable_standing *of);

/* Adds the job that this shell is in, by its scheduler's number; nothing outside of one. */
void status_add_job(struct strbuf *out, char *const *env);

/* Fills in the hints. */
void status_find_hints(struct situation *status);

/* Prints the report: as text, or adds it to what --json prints. */
void status_print(const struct situation *status);
void status_json(const struct situation *status);

/* The part of it that --all has as well: the cards, and who is on them. */
void status_json_seats(const struct seats *seats);

/* --all: every environment against every card. The exit status, or -1. */
int status_all(const struct options *options, struct error *err);
