/*
 * `gpu.assign`: rules in order, of which the first whose every condition holds replaces keys of the
 * section for one user on one host.
 *
 *     const struct rule *rule = rules_find(&section, "alice", "dgx-01.example.org");
 *     scope(rules_unapply) struct section own = {0};
 *     if (rules_apply(&own, &section, rule, &err) < 0) ...
 *
 * A host is compared with its full name and with its first label: "dgx-01".
 */
#pragma once

#include "section/section.h"

enum {
    RULES_LIMIT = 4096,
    RULES_PATTERNS_LIMIT = 10000, /* of all rules together */
};

struct rule {
    struct place place;
    struct names users, hosts; /* names or globs, with * ? [set]; none: everybody, everywhere */
    struct section keys;       /* what the rule says, and no more: see section_given */
};

/* The first that fits; NULL: the section's own keys hold. */
const struct rule *rules_find(const struct section *section, const char *user, const char *host);

/* Whether a name is one of these, or fits one of these patterns; any name if there are none. */
bool patterns_fit(const struct names *patterns, const char *name);

/* Whether a rule serves anybody on this host, or this user anywhere. */
bool rule_fits_host(const struct rule *rule, const char *host);
bool rule_fits_user(const struct rule *rule, const char *user);

/* Whether it is no name, but a pattern. */
bool is_pattern(const char *text);

/* What a rule may name a user or host by: letters, digits and _.@+-, with * ? and sets such as
   [a-c] or [!0-9]. Shells take it as it is for a pattern. */
bool rule_pattern_is_sound(const char *text);

/* Whether any rule names a host. */
bool rules_name_hosts(const struct section *section);

/* The section as it is for whom this rule serves, or nobody does (NULL): its own keys, but those of
   the rule where it has them, and the variables of both by name. Without any rule. It borrows from
   the section and the rule, which must outlive it: rules_unapply ends it, not section_release. */
int rules_apply(struct section *own, const struct section *section, const struct rule *rule,
                struct error *err);
void rules_unapply(struct section *own);

void rules_release(struct rule_list *rules);
