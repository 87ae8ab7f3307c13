#include "cli/apply.h"

#include "base/scope.h"
#include "base/self.h"
#include "base/table.h"
#include "cli/json.h"
#include "section/files.h"

#include <string.h>

/* Somebody, and some machine. */
struct whom {
    const char *user, *host;
};

/* "user: [bob, carol]", or nothing. */
static void add_condition(struct strbuf *out, const char *key, const struct names *patterns)
{
    bool several = patterns->count > 1;

    if (!patterns->count)
        return;
    strbuf_addf(out, "%s%s: %s", out->length ? ", " : "", key, several ? "[" : "");
    for (size_t i = 0; i < patterns->count; i++)
        strbuf_addf(out, "%s%s", i ? ", " : "", patterns->items[i]);
    strbuf_adds(out, several ? "]" : "");
}

static char *describe_rule(const struct rule *rule)
{
    scope(strbuf_release) struct strbuf text = STRBUF_INIT;

    add_condition(&text, "user", &rule->users);
    add_condition(&text, "host", &rule->hosts);
    if (!text.length)
        strbuf_adds(&text, "everybody, everywhere");
    return strbuf_take(&text);
}

static char *judge_rule(const struct rule *rule, const struct rule *taken, const struct whom *whom)
{
    bool fits_user = rule_fits_user(rule, whom->user), fits_host = rule_fits_host(rule, whom->host);

    if (rule == taken)
        return format_text("serves %s", *whom->user ? whom->user : "this user");
    if (fits_user && fits_host)
        return format_text("would fit, but line %zu comes first", taken->place.line);
    if (fits_host)
        return format_text("does not fit user %s", whom->user);
    if (fits_user)
        return format_text("does not fit host %s", whom->host);
    return format_text("fits neither user nor host");
}

static void add_row(struct table *table, const char *place, const char *condition,
                    const char *judgement)
{
    table_cell(table, place);
    table_cell(table, condition ? condition : "");
    table_cell(table, judgement ? judgement : "");
}

static int print_rules(const struct section *section, const struct whom *whom, struct error *err)
{
    enum { CONDITION = 1, COLUMNS = 3 };
    const struct rule *taken = rules_find(section, whom->user, whom->host);
    scope(table_release) struct table table = TABLE_INIT(COLUMNS);
    scope(strbuf_release) struct strbuf lines = STRBUF_INIT;

    for (size_t i = 0; i < section->rules.count; i++) {
        const struct rule *rule = &section->rules.items[i];
        scope(free_text) char *place = format_text("line %zu", rule->place.line);
        scope(free_text) char *condition = describe_rule(rule);
        scope(free_text) char *judgement = judge_rule(rule, taken, whom);
        if (!place || !condition || !judgement)
            return error_memory(err);
        add_row(&table, place, condition, judgement);
    }
    add_row(&table, "no rule", "the section's own keys",
            taken ? "not needed" : "serve whom no rule names");
    table_fit(&table, 1u << CONDITION, CLI_WIDTH);
    table_print(&table, &lines);
    cli_write(&lines);
    return lines.failed ? error_memory(err) : 0;
}

static json_t *json_rule(const struct rule *rule, const struct rule *taken, const struct whom *whom)
{
    return json_pack("{s:I, s:o, s:o, s:b, s:b, s:b}", "line", (json_int_t)rule->place.line,
                     "users", json_texts(rule->users.items, rule->users.count), "hosts",
                     json_texts(rule->hosts.items, rule->hosts.count), "fits_user",
                     rule_fits_user(rule, whom->user), "fits_host",
                     rule_fits_host(rule, whom->host), "serves", rule == taken);
}

static void add_to_json(const struct options *options, const struct section *section,
                        const struct whom *whom)
{
    const struct rule *taken = rules_find(section, whom->user, whom->host);

    apply_json_source(options, section);
    json_put(options, "user", json_text(whom->user));
    json_put(options, "host", json_text(whom->host));
    json_put(
        options, "rules",
        json_list_of(i, section->rules.count, json_rule(&section->rules.items[i], taken, whom)));
}

int apply_explain(const struct options *options, struct error *err)
{
    scope(section_release) struct section section = {0};
    scope(stock_release) struct stock stock = {0};
    scope(free_text) char *host = self_host();
    scope(free_text) char *user = self_user(options->env);

    if (!host || !user)
        return error_memory(err);
    if (files_read(&section, options->file, options->timeout, err) < 0)
        return -1;
    if (options->inventory && apply_read_stock(&stock, options, err) < 0)
        return -1;
    if (options->inventory && options->host && !stock_find(&stock, options->host))
        return error_add(err, STATUS_INPUT, "%s has no machine of the name '%s'",
                         apply_stock_name(options), options->host);
    const struct whom whom = {options->user ? options->user : user,
                              options->host ? options->host : host};
    if (options->json)
        return add_to_json(options, &section, &whom), STATUS_DONE;
    cli_print(options, "%s: for user %s%s on %s%s", section.file,
              *whom.user ? whom.user : "without a name", options->user ? "" : " (you)", whom.host,
              options->host ? "" : " (this machine)");
    return print_rules(&section, &whom, err) < 0 ? -1 : STATUS_DONE;
}
