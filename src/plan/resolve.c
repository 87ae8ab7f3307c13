#include "plan/resolve.h"

#include "base/scope.h"
#include "base/table.h"
#include "gpu/machine.h"
#include "section/keys.h"

#include <stdlib.h>
#include <string.h>

/* Of a card that NVML cannot describe there is a number and nothing else. */
static void add_row(struct table *table, const struct device *device, bool countable)
{
    bool lost = device->hidden == HIDDEN_LOST;

    table_cellf(table,
                device->mig                   ? "MIG"
                : countable || device->hidden ? "GPU %u"
                                              : "GPU -",
                device->number);
    for (int i = 0; lost && i < 4; i++)
        table_cell(table, "-");
    if (lost)
        return;
    table_cell(table, device->name);
    table_cell(table, MEMORY_TEXT(device->memory));
    device_cells(table, device, false);
}

/* The devices of this machine as lines behind an error. */
static int add_table(struct error *err, const struct device_list *machine)
{
    enum { NAME = 1, COLUMNS = 5 };
    scope(table_release) struct table table = TABLE_INIT(COLUMNS);
    size_t count;
    const struct device **rows = machine_rows(machine, &count);

    if (!rows)
        return error_memory(err);
    for (size_t i = 0; i < count; i++)
        add_row(&table, rows[i], device_list_is_countable(machine));
    free(rows);
    return table_detail(&table, 1u << NAME, err);
}

/* ---- what the driver was asked, and answered ---- */

struct answer {
    char *visible;
    struct inventory seen;
};

struct asked {
    const struct driver *driver;
    bool surveyed;
    bool puzzled;             /* an error is about devices, so all of them are to be shown */
    struct inventory machine; /* all devices */
    struct error absent;      /* why it could not be surveyed */
    struct array_of(struct answer) answers; /* by the value of CUDA_VISIBLE_DEVICES */
    struct derivation derivation;
};

static struct asked asked_init(const struct driver *driver)
{
    return (struct asked){.driver = driver, .derivation = {.driver = driver}};
}

static void asked_release(struct asked *asked)
{
    for (size_t i = 0; i < asked->answers.count; i++) {
        free(asked->answers.items[i].visible);
        inventory_release(&asked->answers.items[i].seen);
    }
    free(asked->answers.items);
    inventory_release(&asked->machine);
    error_release(&asked->absent);
    derivation_release(&asked->derivation);
}

/* All devices of this machine. NVML is asked at the same time. */
static int survey(struct asked *asked)
{
    const struct question question = driver_question(asked->driver, NULL);

    if (!asked->surveyed && asked->driver->inventory)
        asked->machine = take(asked->driver->inventory);
    else if (!asked->surveyed)
        machine_read(&asked->machine, &question, &asked->absent);
    asked->surveyed = true;
    return asked->absent.status != STATUS_DONE ? -1 : 0; /* memory that ran out is no message */
}

static const struct device_list *recall(const struct asked *asked, const char *visible)
{
    for (size_t i = 0; i < asked->answers.count; i++)
        if (strcmp(asked->answers.items[i].visible, visible) == 0)
            return &asked->answers.items[i].seen.devices;
    return NULL;
}

/* What a program will see. A driver that now finds no GPU at all shows no device. */
static const struct device_list *look(struct asked *asked, const char *visible, struct error *err)
{
    scope(inventory_release) struct inventory seen = {0};
    scope(error_release) struct error blind = ERROR_INIT;
    scope(free_text) char *copy = strdup(visible);
    const struct question question = driver_question(asked->driver, visible);
    const struct device_list *known = recall(asked, visible);

    if (known)
        return known;
    if (inventory_read(&seen, &question, &blind) < 0 && !seen.absent) {
        error_add(err, blind.status,
                  "asked again, with CUDA_VISIBLE_DEVICES=%s, to confirm it:", visible);
        error_join(err, &blind);
        return NULL;
    }
    if (!copy || array_add(&asked->answers, (struct answer){take(&copy), take(&seen)}) < 0) {
        error_memory(err);
        return NULL;
    }
    return recall(asked, visible);
}

/* ---- one section ---- */

/* Compares what the driver shows under the planned values with what was chosen. */
static int confirm(struct plan *plan, const struct selection *selection, struct asked *asked,
                   struct error *err)
{
    const struct device_list *seen = look(asked, plan_visible(plan), err);

    if (!seen)
        return -1;
    asked->puzzled = plan_confirm(plan, selection, seen, err) < 0;
    return asked->puzzled ? -1 : 0;
}

/* An inventory in which NVML has a say lists all that a UUID can mean. */
static int trust(struct plan *plan, const struct selection *selection, struct asked *asked,
                 struct error *err)
{
    const struct device_list *machine = &asked->machine.devices;
    int result = 0;

    for (size_t i = 0; i < selection->count && !machine->untold; i++) {
        const struct choice *choice = &selection->items[i];
        if (!choice->device)
            result = error_of(err, STATUS_DRIVER, choice->item->place,
                              "gpu.devices: %s has no device with UUID '%s'",
                              device_list_owner(machine), choice->item->text);
    }
    asked->puzzled = asked->puzzled || result < 0;
    return result < 0 ? -1 : plan_trust(plan, selection, err);
}

static int resolve_unconfirmed(struct plan *plan, const struct section *section, struct error *err)
{
    scope(selection_release) struct selection selection = {0};

    if (select_unconfirmed(&selection, section, err) < 0)
        return -1;
    return plan_make(plan, section, &selection, err);
}

/* Each rule may have to say it. */
static void say_absence(const struct asked *asked, struct error *err)
{
    for (size_t i = 0; i < asked->absent.count; i++) {
        const struct message *message = &asked->absent.items[i];
        error_add(err, message->status, "%s", message->text);
        error_detail_lines(err, strbuf_text(&message->detail));
    }
    if (asked->absent.no_memory)
        error_memory(err);
}

static int resolve_without_gpu(struct plan *plan, const struct section *section,
                               struct asked *asked, struct error *err)
{
    bool absent = asked->machine.absent;

    if (absent && section->if_no_gpu == IF_NO_GPU_CPU)
        return plan_make_plain(plan, section, PLAN_GPUS_NONE, err);
    if (absent && section->if_no_gpu == IF_NO_GPU_UNCONFIRMED &&
        resolve_unconfirmed(plan, section, err) == 0)
        return 0;
    say_absence(asked, err);
    if (!absent || section->if_no_gpu != IF_NO_GPU_ERROR)
        return -1;
    return error_add(err, STATUS_DRIVER,
                     "to go on where there is no GPU, write 'if_no_gpu: cpu' (then none is shown) "
                     "or 'if_no_gpu: unconfirmed' (then 'devices' is taken as written) into the "
                     "gpu: section of %s",
                     section->file);
}

/* `all` needs no driver; where there is one, its devices are shown. */
static int resolve_all(struct plan *plan, const struct section *section, struct asked *asked,
                       struct error *err)
{
    if (plan_make_plain(plan, section, PLAN_GPUS_ALL, err) < 0)
        return -1;
    return survey(asked) < 0 ? 0 : plan_list_all(plan, &asked->machine.devices, err);
}

/* On failure the plan is released by the caller as well. */
static int fill(struct plan *plan, const struct section *section, struct asked *asked,
                struct error *err)
{
    scope(selection_release) struct selection selection = {0};

    if (!section->item_count)
        return plan_make_plain(plan, section, PLAN_GPUS_AS_BEFORE, err);
    if (section_wants_no_gpu(section))
        return plan_make_plain(plan, section, PLAN_GPUS_NONE, err);
    if (section_wants_all(section))
        return resolve_all(plan, section, asked, err);
    if (survey(asked) < 0)
        return resolve_without_gpu(plan, section, asked, err);
    if (select_devices(&selection, section, &asked->machine.devices, err) < 0) {
        asked->puzzled = true;
        return -1;
    }
    if (plan_make(plan, section, &selection, err) < 0)
        return -1;
    if (asked->driver->inventory)
        return trust(plan, &selection, asked, err);
    return confirm(plan, &selection, asked, err);
}

/* For whom a rule serves, and with what its variables say of the devices. */
static int complete(struct plan *plan, const struct section *section, const struct rule *rule,
                    struct asked *asked, struct error *err)
{
    scope(rules_unapply) struct section own = {0};

    if (rules_apply(&own, section, rule, err) < 0 || fill(plan, &own, asked, err) < 0)
        return -1;
    return derive(plan, &own, &asked->derivation, err);
}

/* Behind the errors of all rules. */
static int show_machine(const struct asked *asked, struct error *err)
{
    if (!asked->puzzled)
        return -1;
    add_table(err, &asked->machine.devices);
    if (err->status != STATUS_DRIVER || !asked->driver->in_job || asked->driver->inventory)
        return -1;
    return error_add(err, STATUS_DRIVER,
                     "this shell is in a scheduler's job, which may hide the machine's other GPUs; "
                     "if so, run conda-gpu outside of one");
}

int resolve(struct plan *plan, const struct section *section, const struct rule *rule,
            const struct driver *driver, struct error *err)
{
    scope(asked_release) struct asked asked = asked_init(driver);
    scope(plan_release) struct plan made = {0};

    if (complete(&made, section, rule, &asked, err) < 0)
        return show_machine(&asked, err);
    *plan = take(&made);
    return 0;
}

/* ---- all users ---- */

/* Takes the plan, unless it is there. */
static int add_plan(struct team *team, struct plan *plan, unsigned *index)
{
    for (*index = 0; *index < team->plans.count; ++*index)
        if (plan_is_same(&team->plans.items[*index], plan))
            return 0;
    return array_add(&team->plans, take(plan));
}

static int add_share(struct team *team, const struct section *section, const struct rule *rule,
                     struct asked *asked, struct error *err)
{
    scope(plan_release) struct plan plan = {0};
    struct share share = {0};

    if (rule)
        share = (struct share){.line = (unsigned)rule->place.line, .users = rule->users};
    if (complete(&plan, section, rule, asked, err) < 0)
        return -1;
    if (add_plan(team, &plan, &share.plan) < 0 || array_add(&team->shares, share) < 0)
        return error_memory(err);
    return 0;
}

/* Whether an earlier rule that fits this host names the same users. */
static bool is_covered(const struct team *team, const struct rule *rule)
{
    for (size_t i = 0; i < team->shares.count; i++)
        if (names_are_same(&team->shares.items[i].users, &rule->users))
            return true;
    return false;
}

/* Up to the first rule that names no user, after which nobody is left. */
static int add_shares(struct team *team, const struct section *section, const char *host,
                      struct asked *asked, struct error *err)
{
    size_t count = section->rules.count;
    int result = 0;

    for (size_t i = 0; i <= count; i++) {
        const struct rule *rule = i < count ? &section->rules.items[i] : NULL;
        scope(error_release) struct error wrong = ERROR_INIT;
        if (rule && (!rule_fits_host(rule, host) || is_covered(team, rule)))
            continue;
        if (add_share(team, section, rule, asked, &wrong) < 0) {
            bool stop = wrong.status == STATUS_SYSTEM;
            result = error_join(err, &wrong);
            if (stop || keys_is_enough(err))
                break;
        }
        if (rule && !rule->users.count)
            break;
    }
    return result;
}

int resolve_team(struct team *team, const struct section *section, const char *host,
                 const struct driver *driver, struct error *err)
{
    scope(asked_release) struct asked asked = asked_init(driver);
    scope(team_release) struct team made = {0};

    if (add_shares(&made, section, host, &asked, err) < 0)
        return show_machine(&asked, err);
    made.machine = take(&asked.machine);
    made.absent = take(&asked.absent);
    *team = take(&made);
    return 0;
}

const struct plan *team_plan(const struct team *team, const char *user)
{
    return &team->plans.items[shares_find(&team->shares, user)->plan];
}

void team_release(struct team *team)
{
    for (size_t i = 0; i < team->plans.count; i++)
        plan_release(&team->plans.items[i]);
    free(team->plans.items);
    free(team->shares.items);
    inventory_release(&team->machine);
    error_release(&team->absent);
}
