#include "cli/exec_free.h"

#include "base/clock.h"
#include "base/scope.h"
#include "base/table.h"
#include "cli/cli.h"
#include "cli/exec_last.h"
#include "cli/json.h"
#include "cli/who.h"
#include "plan/narrow.h"
#include "plan/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BUSY_MEMORY "500MiB"

/* ---- The pool -------------------------------------------------------------------------------- */

/* All of the machine: NVML's word, or CUDA's where it is not there. */
static int list_machine(struct plan *plan, const struct options *options, struct error *err)
{
    scope(cards_release) struct card_list cards = {0};
    scope(error_release) struct error blind = ERROR_INIT;
    const struct question question = {options->driver, NULL, PLAN_ORDER, options->timeout, NULL};
    scope(inventory_release) struct inventory seen = {0};

    if (cards_read(&cards, &question, &blind) == 0)
        return plan_list_cards(plan, &cards, err);
    if (inventory_read(&seen, &question, err) < 0)
        return -1;
    free(plan->devices.items);
    plan->devices = (struct planned_devices){0};
    return plan_list_all(plan, &seen.devices, err);
}

static int fill_pool(struct plan *plan, const struct options *options, struct error *err)
{
    if (plan->gpus == PLAN_GPUS_NONE)
        return error_add(err, STATUS_DRIVER, "--free: the environment has no GPU to choose from");
    if (plan->gpus != PLAN_GPUS_CHOSEN)
        return list_machine(plan, options, err);
    if (!plan->devices.count)
        return error_add(err, STATUS_DRIVER,
                         "--free: no driver has told which devices the environment has; run "
                         "'conda-gpu apply' where the GPUs are, or give the file with -f");
    return 0;
}

static int list_uuids(struct free_cards *cards, struct error *err)
{
    for (size_t i = 0; i < cards->plan->devices.count; i++)
        if (names_add(&cards->uuids, UUID_TEXT(&cards->plan->devices.items[i].device)) < 0)
            return error_memory(err);
    return 0;
}

/* ---- Whom others see on the cards ------------------------------------------------------------ */

/* "leased by alice since 14:02, process 4711: python train.py" */
static void add_state(struct strbuf *out, const struct claim_card *card)
{
    const struct lease_holder user = who_is((pid_t)card->use.process);

    switch (card->state) {
    case CLAIM_LEASED:
        strbuf_adds(out, "leased by ");
        who_add(out, &card->holder);
        break;
    case CLAIM_BUSY:
        strbuf_adds(out, "in use by ");
        if (user.proc.there)
            who_add(out, &user);
        else
            strbuf_addf(out, "process %u, which cannot be seen from here", card->use.process);
        if (card->use.process_count > 1)
            strbuf_addf(out, " and %u more", card->use.process_count - 1);
        break;
    case CLAIM_FILLED:
        strbuf_addf(out, "%s of its memory are in use", MEMORY_TEXT(card->use.memory_used));
        break;
    case CLAIM_MISSING:
        strbuf_adds(out, "not among the cards that NVML lists");
        break;
    case CLAIM_FREE:
        strbuf_adds(out, "free");
        break;
    }
}

/* "GPU 1: free" */
static void add_card(struct strbuf *out, const struct planned_device *planned, const char *between,
                     const struct claim_card *card)
{
    if (planned->number == PLAN_NO_NUMBER)
        strbuf_adds(out, UUID_SHORT(&planned->device));
    else
        strbuf_addf(out, "GPU %zu", planned->number);
    strbuf_adds(out, between);
    add_state(out, card);
}

/* "process 4711 of alice, which came before and waits for 4 of these GPUs" */
static void add_before(struct strbuf *out, const struct turn_before *before)
{
    who_add_user(out, before->user);
    if (before->process)
        strbuf_addf(out, ", process %d", (int)before->process);
    strbuf_addf(out, ", who came before and waits for %zu of these GPUs", before->wanted);
}

static void say_for_whom(const struct claim *claim, void *data)
{
    const struct free_cards *cards = data;
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    if (claim->before.number) {
        add_before(&text, &claim->before);
        cli_note("waiting for %s", strbuf_text(&text));
        return;
    }
    cli_note("waiting for GPUs; of the %zu to choose from:", claim->count);
    for (size_t i = 0; i < claim->count; i++) {
        scope(strbuf_release) struct strbuf line = STRBUF_INIT;
        add_card(&line, &cards->plan->devices.items[i], ": ", &claim->cards[i]);
        if (claim->cards[i].state != CLAIM_FREE)
            cli_note("%s", strbuf_text(&line));
    }
}

static json_t *json_who(const struct claim_card *card)
{
    const struct lease_holder user = who_is((pid_t)card->use.process);

    if (card->state == CLAIM_LEASED)
        return who_json(&card->holder);
    return card->state == CLAIM_BUSY ? who_json(&user) : json_null();
}

static json_t *json_card(const struct planned_device *planned, const struct claim_card *card)
{
    static const char *const words[] = {[CLAIM_FREE] = "free",
                                        [CLAIM_LEASED] = "leased",
                                        [CLAIM_BUSY] = "in use",
                                        [CLAIM_FILLED] = "memory in use",
                                        [CLAIM_MISSING] = "not listed"};

    return json_pack("{s:o, s:s, s:s, s:o, s:o}", "number",
                     json_known(planned->number != PLAN_NO_NUMBER, planned->number), "uuid",
                     card->uuid, "state", words[card->state], "who", json_who(card), "memory_used",
                     json_known(card->use.memory_used != CARD_NOT_TOLD, card->use.memory_used));
}

static json_t *json_before(const struct turn_before *before)
{
    struct lease_holder who = who_is(before->process);

    who.user = before->user;
    if (!before->number)
        return json_null();
    return json_pack("{s:o, s:I}", "who", who_json(&who), "wants", (json_int_t)before->wanted);
}

static int taken(const struct free_cards *cards, size_t wanted, struct error *err)
{
    const struct claim *claim = &cards->claim;
    scope(strbuf_release) struct strbuf before = STRBUF_INIT;
    size_t count = 0;

    json_put("pool", json_array());
    for (size_t i = 0; i < claim->count; i++)
        count += claim->cards[i].state == CLAIM_FREE;
    error_add(err, STATUS_TAKEN, "--free %zu: of the %zu GPUs to choose from, %zu %s free%s",
              wanted, claim->count, count, count == 1 ? "is" : "are",
              cards->options->wait ? "" : "; --wait waits for more");
    for (size_t i = 0; i < claim->count; i++) {
        scope(strbuf_release) struct strbuf line = STRBUF_INIT;
        add_card(&line, &cards->plan->devices.items[i], "  ", &claim->cards[i]);
        error_detail(err, "%s", strbuf_text(&line));
        json_list("pool", json_card(&cards->plan->devices.items[i], &claim->cards[i]));
    }
    json_put("before", json_before(&claim->before));
    if (claim->before.number) {
        add_before(&before, &claim->before);
        error_detail(err, "first come is %s", strbuf_text(&before));
    }
    return -1;
}

/* ---- Taking ---------------------------------------------------------------------------------- */

static int read_wanted(size_t *wanted, size_t most, const char *text, struct error *err)
{
    unsigned long number;

    if (!number_parse(text, &number) || !number)
        return error_add(err, STATUS_INPUT,
                         "--free: found '%s'; accepted: how many GPUs, from 1 on", text);
    if (number > most)
        return error_add(err, STATUS_DRIVER, "--free %lu: there %s only %zu GPU%s to choose from",
                         number, most == 1 ? "is" : "are", most, most == 1 ? "" : "s");
    *wanted = number;
    return 0;
}

static int read_prefer(enum claim_prefer *prefer, const char *text, struct error *err)
{
    static const char *const words[] = {
        [CLAIM_LAST] = "last", [CLAIM_COOL] = "cool", [CLAIM_EMPTY] = "empty"};

    for (int i = CLAIM_LAST; text && i <= CLAIM_EMPTY; i++)
        if (strcmp(text, words[i]) == 0)
            return *prefer = (enum claim_prefer)i, 0;
    if (!text)
        return 0;
    return error_add(err, STATUS_INPUT,
                     "--prefer: found '%s'; accepted: last (the GPUs that you had last), cool (the "
                     "coolest), empty (those with the least memory in use)",
                     text);
}

static int read_wish(struct claim_wish *wish, const struct options *options, struct error *err)
{
    int result = read_wanted(&wish->wanted, wish->count, options->free, err);

    if (read_prefer(&wish->prefer, options->prefer, err) < 0)
        result = -1;
    if (!size_parse(options->busy_memory ? options->busy_memory : BUSY_MEMORY, &wish->busy_memory))
        result = error_add(err, STATUS_INPUT,
                           "--busy-memory: found '%s'; accepted: a size such as 500MiB",
                           options->busy_memory);
    if (options->wait)
        wish->deadline = options->wait == OPTION_FOR_EVER ? LLONG_MAX : clock_in(options->wait);
    return result;
}

/* Leaves the chosen ones in the plan, and remembers them. */
static int keep_chosen(const struct free_cards *cards, struct plan *plan, struct error *err)
{
    scope(names_release) struct names last = {0};
    size_t *chosen = calloc(cards->claim.count + 1, sizeof *chosen), count = 0;

    for (size_t i = 0; chosen && i < cards->claim.count; i++) {
        if (!cards->claim.cards[i].chosen)
            continue;
        chosen[count++] = i;
        names_add(&last, cards->uuids.items[i]);
    }
    int result = chosen ? plan_keep(plan, chosen, count, err) : error_memory(err);
    free(chosen);
    if (result == 0 && !cards->options->dry_run)
        last_write(&last, cards->options->env);
    return result;
}

static int claim_cards(struct free_cards *cards, struct plan *plan, struct error *err)
{
    const struct options *options = cards->options;
    scope(names_release) struct names last = {0};
    struct claim_wish wish = {.uuids = (const char *const *)cards->uuids.items,
                              .count = cards->uuids.count,
                              .nvml = {.driver = options->driver, .timeout = options->timeout},
                              .patience = CLAIM_PATIENCE,
                              .waits = say_for_whom,
                              .data = cards};

    if (read_wish(&wish, options, err) < 0)
        return -1;
    if (wish.prefer == CLAIM_LAST)
        last_read(&last, options->env);
    wish.last = (const char *const *)last.items;
    wish.last_count = last.count;
    int got = claim_take(&cards->claim, &wish, err);
    if (got >= 0 && cards->claim.blind)
        cli_note("only leases tell which GPUs are free: %s", error_first(&cards->claim.why_blind));
    if (got <= 0)
        return got < 0 ? -1 : taken(cards, wish.wanted, err);
    return keep_chosen(cards, plan, err);
}

int free_cards_take(struct free_cards *cards, struct plan *plan, const struct options *options,
                    struct error *err)
{
    cards->plan = plan;
    cards->options = options;
    if (fill_pool(plan, options, err) < 0 || list_uuids(cards, err) < 0)
        return -1;
    return claim_cards(cards, plan, err);
}

/* ---- Handing on ------------------------------------------------------------------------------ */

void free_cards_put(struct plan *plan, struct env *env)
{
    struct timespec now;
    char lease[64];

    if (plan->in_job == IN_JOB_OVERRIDE)
        cli_note("the environment has in_job: override, so 'conda activate' inside COMMAND "
                 "takes its own GPUs in place of those that are leased; in_job: keep "
                 "leaves them");
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(lease, sizeof lease, "%d.%lld.%09ld", (int)getpid(), (long long)now.tv_sec,
             now.tv_nsec);
    env_set(env, "CUDA_DEVICE_ORDER", PLAN_ORDER);
    env_set(env, "CUDA_VISIBLE_DEVICES", plan_visible(plan));
    env_set(env, "CONDA_GPU_LEASE", lease);
    plan->in_job = IN_JOB_KEEP;
}

int free_cards_hand_on(struct free_cards *cards, struct error *err)
{
    if (claim_hand_on(&cards->claim) == 0)
        return 0;
    return error_add(err, STATUS_SYSTEM, "cannot hand on the leases: %s", strerror(errno));
}

void free_cards_release(struct free_cards *cards)
{
    claim_release(&cards->claim);
    names_release(&cards->uuids);
}
