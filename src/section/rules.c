#include "section/rules.h"

#include "base/array.h"
#include "base/scope.h"
#include "section/parts.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#define PATTERN "a name or a pattern with *, ? and [sets], such as \"login*\", or a list of these"

bool is_pattern(const char *text)
{
    return strpbrk(text, "*?[") != NULL;
}

static bool is_plain(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("_.@+-", c));
}

/* What stands for one character, or is one, or *; 0 for anything else. */
static size_t unit_length(const char *text)
{
    const char *c = text + 1;

    if (is_plain(*text) || *text == '*' || *text == '?')
        return 1;
    if (*text != '[')
        return 0;
    c += *c == '!';
    const char *first = c;
    while (is_plain(*c))
        c++;
    return c > first && *c == ']' ? (size_t)(c - text) + 1 : 0;
}

bool rule_pattern_is_sound(const char *text)
{
    size_t length = 1;

    for (const char *c = text; *c && length; c += length)
        length = unit_length(c);
    return *text && length;
}

static int read_pattern(const struct reading *in, const struct node *node)
{
    const char *text = keys_text(in, node, PATTERN);

    if (!text)
        return -1;
    if (!rule_pattern_is_sound(text))
        return keys_wrong(in, node, PATTERN);
    return names_add(in->target, text) < 0 ? error_memory(in->err) : 0;
}

static int read_patterns(const struct reading *in, const struct node *node)
{
    bool list = node_kind(node) == NODE_LIST;
    size_t count = list ? node_count(node) : 1;
    int result = 0;

    if (!count || count > RULES_PATTERNS_LIMIT)
        return keys_wrong(in, node, PATTERN);
    for (size_t i = 0; i < count && !keys_is_enough(in->err); i++)
        if (read_pattern(in, list ? document_item(in->doc, node, i) : node) < 0)
            result = -1;
    return result;
}

static int read_rule(const struct reading *in, const struct node *node, struct rule *rule)
{
    static const struct key keys[] = {
        {"user", read_patterns, NULL, offsetof(struct rule, users)},
        {"host", read_patterns, NULL, offsetof(struct rule, hosts)},
        SECTION_KEYS,
    };
    struct reading inner = *in;

    inner.section = &rule->keys;
    rule->place = document_place(in->doc, node);
    int result = keys_read(&inner, node, "a rule such as {user: alice, devices: 0}", keys,
                           sizeof keys / sizeof *keys, rule);
    error_join(&in->section->notes, &rule->keys.notes);
    return result;
}

/* Whether every name that `narrow` fits, `wide` fits too. Only where that is sure: a * stands for
   anything, also for what is a pattern itself. */
static bool pattern_covers(const char *wide, const char *narrow)
{
    bool is_sure = !is_pattern(narrow) || !strpbrk(wide, "?[");

    return strcmp(wide, narrow) == 0 ||
           (is_sure && is_pattern(wide) && fnmatch(wide, narrow, 0) == 0);
}

static bool any_covers(const struct names *wide, const char *narrow)
{
    for (size_t i = 0; i < wide->count; i++)
        if (pattern_covers(wide->items[i], narrow))
            return true;
    return false;
}

static bool patterns_cover(const struct names *wide, const struct names *narrow)
{
    if (!wide->count)
        return true;
    if (!narrow->count)
        return any_covers(wide, "*");
    for (size_t i = 0; i < narrow->count; i++)
        if (!any_covers(wide, narrow->items[i]))
            return false;
    return true;
}

/* A rule that an earlier one covers would never be taken. */
static int check_reachable(const struct reading *in, const struct rule_list *rules,
                           const struct rule *rule)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *earlier = &rules->items[i];
        if (patterns_cover(&earlier->users, &rule->users) &&
            patterns_cover(&earlier->hosts, &rule->hosts))
            return error_at(in->err, rule->place,
                            "%s: this rule is never taken, since the one at line %zu, column %zu "
                            "fits all that it fits; put it before that one, or remove it",
                            in->path, earlier->place.line, earlier->place.column);
    }
    return 0;
}

static void rule_release(struct rule *rule)
{
    names_release(&rule->users);
    names_release(&rule->hosts);
    section_release(&rule->keys);
}

/* Adds a rule that is right; *patterns counts those of all. */
static int add_rule(const struct reading *in, const struct node *node, size_t *patterns)
{
    struct rule_list *rules = &in->section->rules;
    scope(rule_release) struct rule rule = {0};

    if (read_rule(in, node, &rule) < 0)
        return -1;
    *patterns += rule.users.count + rule.hosts.count;
    if (*patterns > RULES_PATTERNS_LIMIT)
        return error_at(in->err, rule.place,
                        "%s: more than %d users and hosts; name several by one pattern", in->path,
                        RULES_PATTERNS_LIMIT);
    if (check_reachable(in, rules, &rule) < 0)
        return -1;
    return array_add(rules, take(&rule)) < 0 ? error_memory(in->err) : 0;
}

int section_assign(const struct reading *in, const struct node *node)
{
    size_t count = node_kind(node) == NODE_LIST ? node_count(node) : 0, patterns = 0;
    int result = 0;

    if (!count || count > RULES_LIMIT)
        return keys_wrong(in, node,
                          "a list of 1 to 4096 rules, such as [{user: alice, devices: 0}]");
    for (size_t i = 0; i < count && !keys_is_enough(in->err) && patterns <= RULES_PATTERNS_LIMIT;
         i++)
        if (add_rule(in, document_item(in->doc, node, i), &patterns) < 0)
            result = -1;
    return result;
}

bool patterns_fit(const struct names *patterns, const char *name)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (fnmatch(patterns->items[i], name, 0) == 0)
            return true;
    return !patterns->count;
}

bool rule_fits_user(const struct rule *rule, const char *user)
{
    return patterns_fit(&rule->users, user);
}

bool rule_fits_host(const struct rule *rule, const char *host)
{
    char label[256];

    snprintf(label, sizeof label, "%.*s", (int)strcspn(host, "."), host);
    return patterns_fit(&rule->hosts, host) || patterns_fit(&rule->hosts, label);
}

const struct rule *rules_find(const struct section *section, const char *user, const char *host)
{
    for (size_t i = 0; i < section->rules.count; i++) {
        const struct rule *rule = &section->rules.items[i];
        if (rule_fits_user(rule, user) && rule_fits_host(rule, host))
            return rule;
    }
    return NULL;
}

bool rules_name_hosts(const struct section *section)
{
    for (size_t i = 0; i < section->rules.count; i++)
        if (section->rules.items[i].hosts.count)
            return true;
    return false;
}

/* The section's order, each with the rule's value where it has one, then what only the rule has. */
static int merge_variables(struct var_list *list, const struct var_list *section,
                           const struct var_list *rule)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct var *var = vars_find(rule, section->items[i].name);
        if (array_add(list, var ? *var : section->items[i]) < 0)
            return -1;
    }
    for (size_t i = 0; i < rule->count; i++)
        if (!vars_find(section, rule->items[i].name) && array_add(list, rule->items[i]) < 0)
            return -1;
    return 0;
}

static void replace_keys(struct section *own, const struct section *keys)
{
    if (keys->given & GIVEN_IDS)
        own->ids = keys->ids;
    if (keys->given & GIVEN_IF_NO_GPU)
        own->if_no_gpu = keys->if_no_gpu;
    if (keys->given & GIVEN_IN_JOB)
        own->in_job = keys->in_job;
    if (keys->given & GIVEN_IF_SET)
        own->if_set = keys->if_set;
    if (!keys->item_count)
        return;
    own->devices_place = keys->devices_place;
    own->items = keys->items;
    own->item_count = keys->item_count;
}

int rules_apply(struct section *own, const struct section *section, const struct rule *rule,
                struct error *err)
{
    static const struct section nothing = {0};
    const struct section *keys = rule ? &rule->keys : &nothing;
    scope(rules_unapply) struct section made = *section;

    made.variables = (struct var_list){0};
    made.rules = (struct rule_list){0};
    replace_keys(&made, keys);
    if (merge_variables(&made.variables, &section->variables, &keys->variables) < 0)
        return error_memory(err);
    size_t size = vars_size(&made.variables);
    if (rule && size > SECTION_TOTAL_LIMIT)
        return error_at(err, rule->place,
                        "gpu.assign: the values of this rule and of the section have %zu bytes "
                        "together; at most %d are accepted, since Linux starts no program with "
                        "many more",
                        size, SECTION_TOTAL_LIMIT);
    *own = take(&made);
    return 0;
}

void rules_unapply(struct section *own)
{
    free(own->variables.items);
    *own = (struct section){0};
}

void rules_release(struct rule_list *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        rule_release(&rules->items[i]);
    free(rules->items);
    *rules = (struct rule_list){0};
}
