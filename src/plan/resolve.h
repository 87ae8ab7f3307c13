/*
 * From a section to a plan that the driver has confirmed. What apply, exec, export and status
 * share.
 *
 *     scope(plan_release) struct plan plan = {0};
 *     const struct driver driver = {.timeout = 60};
 *     if (resolve(&plan, &section, rules_find(&section, user, host), &driver, &err) < 0) ...
 *
 * Where rules decide by user, resolve_team makes a plan for each of those whom they name.
 *
 * The driver is asked twice: for the devices of this machine, among which the section chooses, and
 * then, with the planned values, for what a program will really see. Errors about devices end with
 * a table of those that this machine has.
 */
#pragma once

#include "plan/derive.h"
#include "section/rules.h"

/* What holds for all users of one machine. */
struct team {
    struct plans plans;       /* each once */
    struct shares shares;     /* their users are the section's, which must outlive them */
    struct inventory machine; /* all devices of this machine; none where the driver was not asked */
    struct error absent;      /* why there is no GPU here, where plans were made without one;
                                 machine.absent is not set if a driver is there that fails */
};

/* For whom a rule of the section serves, or none does (NULL). STATUS_INPUT: the section is wrong.
   STATUS_DRIVER: the driver or a device is missing. */
int resolve(struct plan *plan, const struct section *section, const struct rule *rule,
            const struct driver *driver, struct error *err);

/* The same for every rule that fits this host, and the errors of all of them. The driver is asked
   about each choice of devices once. */
int resolve_team(struct team *team, const struct section *section, const char *host,
                 const struct driver *driver, struct error *err);

/* This user's. */
const struct plan *team_plan(const struct team *team, const char *user);

void team_release(struct team *team);
