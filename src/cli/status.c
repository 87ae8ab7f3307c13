#include "cli/status.h"

#include "base/env.h"
#include "base/scope.h"
#include "base/self.h"
#include "conda/enter.h"
#include "conda/parts.h"
#include "conda/paths.h"
#include "section/job.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static const struct option_spec status_options[] = {
    OPTION_NAME_ROW,
    OPTION_PREFIX_ROW("the environment in this folder; without either, the active one"),
    OPTION_FLAG_ROW(all, 'a', "all", NULL, "every environment of this machine against every GPU"),
    OPTION_FLAG_ROW(json, '\0', "json", NULL, "print what is told as JSON, errors included"),
    OPTION_DRIVER_ROW,
    OPTION_TIMEOUT_ROW("how long the driver may take to answer (60)"),
};

static void status_release(struct situation *status)
{
    chosen_release(&status->chosen);
    error_release(&status->source_error);
    standings_release(&status->standings);
    rivals_release(&status->rivals);
    seats_release(&status->seats);
    names_release(&status->hints);
}

/* ---- What is assigned ------------------------------------------------------------------------ */

/* When the file was last written or put in its place; 0: it is not there. */
static time_t changed(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_ctime : 0;
}

static time_t receipt_time(const struct situation *status)
{
    struct stat st;

    return fstatat(status->chosen.prefix.folder, RECEIPT_PATH, &st, 0) == 0 ? st.st_mtime : 0;
}

/* What the file asks for now, compared with the plan. */
static enum status_source resolve_again(struct situation *status)
{
    struct options again = *status->options;
    scope(chosen_release) struct chosen now = CHOSEN_INIT;

    again.file = status->source;
    again.name = NULL;
    again.prefix = status->chosen.environment.path;
    if (chosen_find(&now, &again, &status->source_error) < 0)
        return SOURCE_WRONG;
    return plan_is_same(&now.planned.plan, &status->chosen.planned.plan) ? SOURCE_SAME
                                                                         : SOURCE_DIFFERS;
}

static enum status_source look_at_source(struct situation *status)
{
    if (*status->source != '/')
        return SOURCE_UNKNOWN;
    time_t when = changed(status->source);
    if (!when)
        return SOURCE_GONE;
    return when < status->applied ? SOURCE_UNCHANGED : resolve_again(status);
}

static int find_source(struct situation *status, struct error *err)
{
    const struct receipt *receipt = status->chosen.planned.earlier.receipt;
    const struct receipt_host *part = part_find(receipt, self_host());

    status->source = part ? part->source : "";
    status->applied = receipt_time(status);
    status->source_state = look_at_source(status);
    return status->source_error.status == STATUS_SYSTEM ? error_join(err, &status->source_error)
                                                        : 0;
}

struct status_device status_device(const struct situation *status, size_t i)
{
    const struct planned_device *planned = &status->chosen.planned.plan.devices.items[i];
    const struct seat *seat = seats_find(&status->seats, &planned->device);
    bool moved = seat && planned->number != PLAN_NO_NUMBER && seat->countable &&
                 seat->device.number != planned->number;

    return (struct status_device){seat, moved};
}

/* ---- What is in force ------------------------------------------------------------------------ */

bool status_is_astray(const struct variable_standing *of)
{
    return of->standing == STANDING_EARLIER || of->standing == STANDING_MISSED ||
           of->standing == STANDING_CHANGED;
}

const struct rival *status_beaten(const struct situation *status,
                                  const struct variable_standing *of)
{
    if (of->standing != STANDING_CHANGED && of->standing != STANDING_MISSED)
        return NULL;
    return rivals_beat(&status->rivals, of->var->name);
}

void status_add_job(struct strbuf *out, char *const *env)
{
    scope(strbuf_release) struct strbuf job = STRBUF_INIT;

    job_identify(&job, env);
    const char *id = strbuf_text(&job) + (job.length && *strbuf_text(&job) == '.');
    strbuf_add(out, id, strcspn(id, "."));
    out->failed = out->failed || job.failed;
}

static int find_standings(struct situation *status, struct error *err)
{
    const struct planned *planned = &status->chosen.planned;
    const struct enacted hooks = {planned->earlier.key, &planned->plan, &planned->earlier.managed};
    static const struct hook_set nothing = {0};

    if (standings_find(&status->standings, status->options->env, &hooks,
                       status->chosen.environment.active) < 0 ||
        rivals_find(&status->rivals, &status->chosen.prefix, &planned->plan.variables, &nothing) <
            0)
        return error_memory(err);
    return 0;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static bool is_out_of_step(const struct situation *status)
{
    const char *visible = plan_visible(&status->chosen.planned.plan);
    bool numbers = visible && strspn(visible, "0123456789");

    for (size_t i = 0; i < status->chosen.planned.plan.devices.count; i++) {
        struct status_device device = status_device(status, i);
        if ((!device.seat && status->seats.count) || (device.moved && numbers))
            return true;
    }
    for (size_t i = 0; i < status->standings.count; i++)
        if (status_is_astray(&status->standings.items[i]))
            return true;
    return status->source_state == SOURCE_DIFFERS || status->source_state == SOURCE_GONE ||
           status->source_state == SOURCE_WRONG;
}

static int find_plan(struct situation *status, struct error *err)
{
    struct options options = *status->options;

    if (!options.prefix && !options.name)
        options.prefix = enter_from(options.env);
    if (!options.prefix && !options.name)
        return 0;
    return chosen_open(&status->chosen, &options, NULL, err);
}

static int fill(struct situation *status, struct error *err)
{
    if (find_plan(status, err) < 0 || seats_read(&status->seats, status->options, err) < 0)
        return -1;
    if (!status->chosen.planned.applied)
        return 0;
    if (find_source(status, err) < 0 || find_standings(status, err) < 0)
        return -1;
    status_find_hints(status);
    status->out_of_step = is_out_of_step(status);
    return 0;
}

static int run(const struct options *options, struct error *err)
{
    scope(status_release) struct situation status = {.options = options, .chosen = CHOSEN_INIT};

    if (options->all)
        return status_all(options, err);
    if (fill(&status, err) < 0)
        return -1;
    if (options->json)
        status_json(&status);
    else
        status_print(&status);
    return status.out_of_step ? STATUS_DIFFERS : STATUS_DONE;
}

const struct command status_command = {
    .name = "status",
    .summary = "show what is assigned, what is in force, and who is on the GPUs",
    .usage = "[-n NAME | -p PREFIX | --all] [OPTION...]",
    .about = "Shows what apply assigned to the environment, and whether its file or the cards\n"
             "have changed since; what is in force in this shell; who is on the GPUs; and what\n"
             "may make a program use another one, each with its remedy.\n"
             "\n"
             "It ends with 1 if something is out of step, for monitoring. It looks once: to\n"
             "watch the GPUs there are nvitop and nvtop.\n",
    .example = "conda-gpu status --all",
    .instead = "only options are accepted here",
    .statuses = "012345",
    OPTION_ROWS(status_options),
    .run = run,
};
