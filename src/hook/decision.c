#include "hook/decision.h"

#include "base/scope.h"
#include "base/self.h"
#include "hook/picks.h"
#include "section/rules.h"

#include <stdlib.h>
#include <string.h>

/* ---- what may share a branch ---- */

static bool has_same_result(const struct plan *one, const struct plan *other)
{
    return one == other || (one->in_job == other->in_job && one->if_set == other->if_set &&
                            vars_are_same(&one->variables, &other->variables));
}

/* Whether a user may be meant by both. Patterns and long lists are taken to overlap. */
static bool may_overlap(const struct served *one, const struct served *other)
{
    enum { MOST = 10000 };

    if (strcmp(one->host, other->host) != 0)
        return false;
    const struct names *a = &one->rule->users, *b = &other->rule->users;
    if (!a->count || !b->count || a->count * b->count > MOST)
        return true;
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (is_pattern(a->items[i]) || is_pattern(b->items[k]) ||
                strcmp(a->items[i], b->items[k]) == 0)
                return true;
    return false;
}

static bool overlaps_branch(const struct branch *branch, const struct served *rule)
{
    for (size_t i = 0; i < branch->served.count; i++)
        if (may_overlap(branch->served.items[i], rule))
            return true;
    return false;
}

/* The branch that a rule may join, looked for from the end, since it must not overtake a rule that
   could serve the same user; NULL: it needs one of its own. */
static struct branch *find_branch(struct decision *decision, const struct served *rule)
{
    for (size_t i = decision->branches.count; i-- > 0;) {
        struct branch *branch = &decision->branches.items[i];
        if (has_same_result(branch->plan, rule->plan))
            return branch;
        if (overlaps_branch(branch, rule))
            return NULL;
    }
    return NULL;
}

static int place(struct decision *decision, const struct served *rule)
{
    struct branch *branch = find_branch(decision, rule);

    if (!branch) {
        if (array_add(&decision->branches, (struct branch){.plan = rule->plan}) < 0)
            return -1;
        branch = &decision->branches.items[decision->branches.count - 1];
    }
    decision->by_user = decision->by_user || rule->rule->users.count;
    return array_add(&branch->served, rule);
}

/* ---- the order of the rules ---- */

/* Whether a rule is of the same host as the one before it. */
static bool is_next(const struct served *served, size_t i)
{
    return i && strcmp(served[i - 1].host, served[i].host) == 0;
}

struct turn {
    unsigned line; /* the highest of its host up to here; the section's own keys are the highest */
    const struct served *rule;
};

static int by_line(const void *one, const void *other)
{
    const struct turn *a = one, *b = other;

    return a->line != b->line ? (a->line > b->line) - (a->line < b->line)
                              : (a->rule > b->rule) - (a->rule < b->rule);
}

/* Takes the hosts' rules by line, but each host's in its own order. */
static int place_all(struct decision *decision, const struct served *served, size_t count)
{
    struct turn *turns = calloc(count + 1, sizeof *turns);
    int result = turns ? 0 : -1;

    for (size_t i = 0; turns && i < count; i++) {
        turns[i] = (struct turn){served[i].rule->line - 1, &served[i]};
        if (is_next(served, i) && turns[i].line < turns[i - 1].line)
            turns[i].line = turns[i - 1].line;
    }
    if (turns)
        qsort(turns, count, sizeof *turns, by_line);
    for (size_t i = 0; i < count && result == 0; i++)
        result = place(decision, turns[i].rule);
    free(turns);
    return result;
}

/* ---- patterns ---- */

/* Whether every host has a rule for these users in this branch. */
static bool holds_everywhere(const struct branch *branch, const struct served *rule,
                             const struct decision *decision)
{
    size_t count = 0;

    for (size_t i = 0; i < branch->served.count; i++)
        count += names_are_same(&branch->served.items[i]->rule->users, &rule->rule->users);
    return count == decision->hosts.count;
}

static int add_pattern(struct names *who, const struct decision *decision, const char *user,
                       const char *host)
{
    scope(free_text) char *both = format_text("%s@%s", user, host);
    bool all = strcmp(user, "*") == 0 && strcmp(host, "*") == 0;
    const char *pattern = all || !decision->by_host ? user : decision->by_user ? both : host;

    return both ? names_add(who, pattern) : -1;
}

static int add_patterns(struct names *who, const struct decision *decision,
                        const struct served *rule, const char *host)
{
    const struct names *users = &rule->rule->users;

    if (!users->count)
        return add_pattern(who, decision, "*", host);
    for (size_t i = 0; i < users->count; i++)
        if (add_pattern(who, decision, users->items[i], host) < 0)
            return -1;
    return 0;
}

static int add_line(struct branch *branch, unsigned line)
{
    scope(free_text) char *text = format_text("%u", line);

    branch->own_keys = branch->own_keys || !line;
    return !line ? 0 : text ? names_add(&branch->lines, text) : -1;
}

static int describe(struct branch *branch, const struct decision *decision)
{
    for (size_t i = 0; i < branch->served.count; i++) {
        const struct served *rule = branch->served.items[i];
        const char *host = holds_everywhere(branch, rule, decision) ? "*" : rule->host;
        if (add_line(branch, rule->rule->line) < 0 ||
            add_patterns(&branch->who, decision, rule, host) < 0)
            return -1;
    }
    return 0;
}

static int list_hosts(struct decision *decision, const struct served *served, size_t count,
                      struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *host = served[i].host;
        if (decision->by_host && !host_is_sound(host))
            return error_add(err, STATUS_PREFIX,
                             "this environment serves several machines, or rules name hosts, and "
                             "hooks can tell a machine by a name of letters, digits and _.- only, "
                             "not by '%s'",
                             host);
        if (!is_next(served, i) && names_add(&decision->hosts, host) < 0)
            return error_memory(err);
    }
    return 0;
}

int decision_make(struct decision *decision, const struct served *served, size_t count,
                  bool by_host, struct error *err)
{
    scope(decision_release) struct decision made = {.by_host = by_host};

    if (list_hosts(&made, served, count, err) < 0)
        return -1;
    if (place_all(&made, served, count) < 0)
        return error_memory(err);
    for (size_t i = 0; i < made.branches.count; i++)
        if (describe(&made.branches.items[i], &made) < 0)
            return error_memory(err);
    if (picks_make(&made) < 0)
        return error_memory(err);
    *decision = take(&made);
    return 0;
}

void decision_release(struct decision *decision)
{
    for (size_t i = 0; i < decision->branches.count; i++) {
        names_release(&decision->branches.items[i].who);
        names_release(&decision->branches.items[i].lines);
        free(decision->branches.items[i].served.items);
    }
    free(decision->branches.items);
    names_release(&decision->hosts);
    picks_release(&decision->picks);
    *decision = (struct decision){0};
}

/* ---- one thing only ---- */

static struct group *last_group(struct groups *groups, int kind)
{
    if ((!groups->count || groups->items[groups->count - 1].kind != kind) &&
        array_add(groups, (struct group){kind, {0}}) < 0)
        return NULL;
    return &groups->items[groups->count - 1];
}

/* The kind that all users of a host have, or -1. */
static int kind_of_host(const struct decision *decision, const char *host,
                        int (*kind)(const struct plan *))
{
    int found = -1;

    for (size_t b = 0; b < decision->branches.count; b++) {
        const struct branch *branch = &decision->branches.items[b];
        for (size_t i = 0; i < branch->served.count; i++) {
            if (strcmp(branch->served.items[i]->host, host) != 0)
                continue;
            if (found >= 0 && found != kind(branch->plan))
                return -1;
            found = kind(branch->plan);
        }
    }
    return found;
}

/* Hosts whose users all have this kind. Which of them comes first is all the same. */
static int group_hosts(struct groups *groups, const struct decision *decision, struct names *whole,
                       int (*kind)(const struct plan *))
{
    for (size_t i = 0; i < decision->hosts.count; i++) {
        const char *host = decision->hosts.items[i];
        int found = kind_of_host(decision, host, kind);
        struct group *group = NULL;
        for (size_t g = 0; g < groups->count; g++)
            if (groups->items[g].kind == found)
                group = &groups->items[g];
        if (found < 0)
            continue;
        group = group ? group : last_group(groups, found);
        if (!group || names_add(whole, host) < 0 ||
            add_pattern(&group->who, decision, "*", host) < 0)
            return -1;
    }
    return 0;
}

static int group_users(struct groups *groups, const struct decision *decision,
                       const struct names *whole, int (*kind)(const struct plan *))
{
    for (size_t b = 0; b < decision->branches.count; b++) {
        const struct branch *branch = &decision->branches.items[b];
        for (size_t i = 0; i < branch->served.count; i++) {
            const struct served *rule = branch->served.items[i];
            if (names_have(whole, rule->host))
                continue;
            struct group *group = last_group(groups, kind(branch->plan));
            if (!group || add_patterns(&group->who, decision, rule, rule->host) < 0)
                return -1;
        }
    }
    return 0;
}

/* By the numbers of the branches. */
static int group_branches(struct groups *groups, const struct decision *decision,
                          int (*kind)(const struct plan *))
{
    for (size_t i = 0; i < decision->branches.count; i++) {
        struct group *group = last_group(groups, kind(decision->branches.items[i].plan));
        scope(free_text) char *number = format_text("%zu", i + 1);
        if (!group || !number || names_add(&group->who, number) < 0)
            return -1;
    }
    return 0;
}

int decision_group(struct groups *groups, const struct decision *decision, bool by_number,
                   int (*kind)(const struct plan *))
{
    scope(names_release) struct names whole = {0};

    if (by_number)
        return group_branches(groups, decision, kind);
    if (group_hosts(groups, decision, &whole, kind) < 0)
        return -1;
    return group_users(groups, decision, &whole, kind);
}

void groups_release(struct groups *groups)
{
    for (size_t i = 0; i < groups->count; i++)
        names_release(&groups->items[i].who);
    free(groups->items);
    *groups = (struct groups){0};
}
