#include "conda/planned.h"

#include "base/scope.h"
#include "base/self.h"
#include "conda/parts.h"

/* What this machine's part has for this user. */
static int find_plan(struct planned *planned, char *const *env)
{
    const struct receipt_host *part = part_find(planned->earlier.receipt, self_host());

    planned->applied = part != NULL;
    /* The list of users may be on another machine. */
    scope(free_text) char *user = part && part->rules.count > 1 ? self_user(env) : strdup("");
    if (!user)
        return -1;
    if (part)
        planned->plan = take(&part->plans.items[shares_find(&part->rules, user)->plan]);
    return 0;
}

int planned_read(struct planned *planned, const struct prefix *prefix, char *const *env,
                 struct error *err)
{
    scope(planned_release) struct planned read = {0};

    if (earlier_read(&read.earlier, prefix, err) < 0)
        return -1;
    if (find_plan(&read, env) < 0)
        return error_memory(err);
    *planned = take(&read);
    return 0;
}

void planned_release(struct planned *planned)
{
    plan_release(&planned->plan);
    earlier_release(&planned->earlier);
}
