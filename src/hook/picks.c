#include "hook/picks.h"

#include "base/array.h"
#include "base/scope.h"

#include <stdlib.h>
#include <string.h>

static bool are_many(const struct decision *decision)
{
    size_t count = 0;

    for (size_t i = 0; i < decision->branches.count; i++)
        count += decision->branches.items[i].who.count;
    return decision->by_user && decision->by_host && count > PICKS_FROM;
}

/* The users of this machine whom a branch serves. */
static int pick_branch(struct machine *machine, const struct branch *branch, size_t number)
{
    scope(names_release) struct names users = {0};

    for (size_t i = 0; i < branch->served.count; i++) {
        const struct names *named = &branch->served.items[i]->rule->users;
        if (strcmp(branch->served.items[i]->host, machine->host) == 0 &&
            (named->count ? names_add_all(&users, named) : names_add(&users, "*")) < 0)
            return -1;
    }
    if (!users.count)
        return 0;
    return array_add(&machine->picks, (struct pick){take(&users), number});
}

/* The order of the branches is right for each machine's rules. */
static int pick_machine(struct decision *decision, const char *host)
{
    if (array_add(&decision->picks, (struct machine){host, {0}}) < 0)
        return -1;
    struct machine *machine = &decision->picks.items[decision->picks.count - 1];
    for (size_t i = 0; i < decision->branches.count; i++)
        if (pick_branch(machine, &decision->branches.items[i], i + 1) < 0)
            return -1;
    return 0;
}

int picks_make(struct decision *decision)
{
    if (!are_many(decision))
        return 0;
    for (size_t i = 0; i < decision->hosts.count; i++)
        if (pick_machine(decision, decision->hosts.items[i]) < 0)
            return -1;
    return 0;
}

void picks_release(struct picks *picks)
{
    for (size_t i = 0; i < picks->count; i++) {
        for (size_t k = 0; k < picks->items[i].picks.count; k++)
            names_release(&picks->items[i].picks.items[k].users);
        free(picks->items[i].picks.items);
    }
    free(picks->items);
    *picks = (struct picks){0};
}
